# Fuzzing: included by tests.mk. clang only.
#
#   make fuzz                     all targets, FUZZ_SECONDS (300) each, from the seeds below
#   build/fuzz/fuzz_model FILE    one file again
#
# The library is built without its vector kernels and small, so that the sanitizers see every access and it builds quickly.

FUZZ_CC ?= clang
FUZZ_SECONDS ?= 300
FUZZ_FLAGS = -O1 -g -DB2S6_NO_ISAS -DB2S6_SMALL -fsanitize=address,undefined -fno-sanitize-recover=undefined

FUZZ_LIB_OBJECTS = $(LIB_SOURCES:%.c=$(BUILD)/fuzz/%.o)
FUZZ_MODEL_OBJECTS = $(BUILD)/fuzz/tests/fuzz/fuzz_model.o $(BUILD)/fuzz/tests/model_file.o
FUZZ_CONVERT_OBJECTS = $(BUILD)/fuzz/tests/fuzz/fuzz_convert.o $(BUILD)/fuzz/tests/zip_file.o \
                       $(CONVERTER_OBJECTS:$(BUILD)/cli/%=$(BUILD)/fuzz/%)
FUZZ_TOKENIZER_OBJECTS = $(BUILD)/fuzz/tests/fuzz/fuzz_tokenizer.o $(CONVERTER_OBJECTS:$(BUILD)/cli/%=$(BUILD)/fuzz/%)

$(BUILD)/fuzz/%.o: %.c Makefile tests/fuzz.mk
	@mkdir -p $(@D)
	$(SAY) CC '$< (fuzz)'
	$(Q)$(FUZZ_CC) $(B2S6_CFLAGS) -I. $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/fuzz_model: $(FUZZ_MODEL_OBJECTS) $(FUZZ_LIB_OBJECTS)
	$(SAY) LD $@
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ -lm

$(BUILD)/fuzz/fuzz_convert: $(FUZZ_CONVERT_OBJECTS) $(FUZZ_LIB_OBJECTS)
	$(SAY) LD $@
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ -lm -lpthread

$(BUILD)/fuzz/fuzz_tokenizer: $(FUZZ_TOKENIZER_OBJECTS) $(FUZZ_LIB_OBJECTS)
	$(SAY) LD $@
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ -lm -lpthread

# Seeds: the small ones of the digest's models; the stored cases, folders and tokenizers, each after the letter that its fuzzer wants.
$(BUILD)/fuzz/seeds: $(BUILD)/tests/digest
	@mkdir -p $@/model $@/convert $@/tokenizer
	@$(BUILD)/tests/digest --write $@/model >/dev/null
	@find $@/model -type f \( -size +24k -o -name '*.snapshot' \) -delete
	@for case in tests/cases/*/; do name=$$(basename "$$case"); \
	    if [ -f "$$case/config.json" ]; then \
	        { printf f; cat "$$case/config.json"; printf '\0'; tail -c +9 "$$case/model.safetensors" | head -c 6000; } \
	            >"$@/convert/$$name"; \
	    else { printf s; cat "$$case/model.safetensors"; } >"$@/convert/$$name"; \
	         { printf h; tail -c +9 "$$case/model.safetensors" | head -c 6000; } >"$@/convert/$$name-header"; \
	         { printf j; tail -c +9 "$$case/model.safetensors" | head -c 3000; } >"$@/convert/$$name-json"; fi; done
	@for folder in tests/containers/*bin*/model/; do name=$$(basename "$$(dirname "$$folder")"); for file in "$$folder"/*.bin; do \
	    { printf b; cat "$$folder/config.json"; printf '\0'; cat "$$file"; } >"$@/convert/$$name-$$(basename "$$file")"; \
	    { printf P; python3 -c 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); \
	        sys.stdout.buffer.write(z.read([n for n in z.namelist() if n.endswith("data.pkl")][0]))' "$$file"; } \
	        >"$@/convert/$$name-$$(basename "$$file").pickle"; done; done
	@for file in tests/containers/*/model/*.index.json; do { printf i; cat "$$file"; } \
	    >"$@/convert/$$(basename "$${file%/model/*}")-index"; done
	@for name in bytes characters; do { printf j; cat "tests/tokenizers/$$name.json"; } >"$@/tokenizer/$$name"; done
	@touch $@

fuzz: $(BUILD)/fuzz/fuzz_model $(BUILD)/fuzz/fuzz_convert $(BUILD)/fuzz/fuzz_tokenizer $(BUILD)/fuzz/seeds
	@mkdir -p $(BUILD)/fuzz/corpus/model $(BUILD)/fuzz/corpus/convert $(BUILD)/fuzz/corpus/tokenizer
	cd $(BUILD)/fuzz && ./fuzz_model -max_total_time=$(FUZZ_SECONDS) -max_len=65536 \
	    -timeout=20 -rss_limit_mb=2500 -print_final_stats=1 corpus/model seeds/model
	cd $(BUILD)/fuzz && ./fuzz_convert -max_total_time=$(FUZZ_SECONDS) -max_len=65536 \
	    -timeout=20 -rss_limit_mb=2500 -print_final_stats=1 corpus/convert seeds/convert
	cd $(BUILD)/fuzz && ./fuzz_tokenizer -max_total_time=$(FUZZ_SECONDS) -max_len=65536 \
	    -timeout=20 -rss_limit_mb=2500 -print_final_stats=1 corpus/tokenizer seeds/tokenizer

.PHONY: fuzz

-include $(FUZZ_LIB_OBJECTS:.o=.d) $(FUZZ_MODEL_OBJECTS:.o=.d) $(FUZZ_CONVERT_OBJECTS:.o=.d) $(FUZZ_TOKENIZER_OBJECTS:.o=.d)
