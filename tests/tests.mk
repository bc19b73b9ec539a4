# The tests: included by the Makefile.
#
# build/tests/check        every suite, under cmocka where pkg-config finds it (CMOCKA=no: on our own runner)
# build/tests/elementary   the elementary functions, dense over all floats, on every instruction set
# build/tests/failing      tests that fail on purpose, for tests/check_runner.sh
# build/tests/byte_model   writes the byte models for tests/check_bytes.sh and tests/cross_bytes.sh
# build/tests/text_model   writes the token models for tests/check_text.sh
# build/tests/bench_kernels   each kernel alone, for a person who tunes one: make bench-kernels
# build/tests/slow_modes   the table of slow modes in docs/arithmetic.md: make slow-modes
# build/tests/work         how much longer odd weights take, for tests/work.sh
# build/tests/digest       one number over the outputs of many models, to compare builds and machines
# build/tests/golden       stored files must give the stored bits (tests/golden)

CMOCKA ?= $(shell $(PKG_CONFIG) --exists cmocka 2>/dev/null && echo yes || echo no)
ifeq ($(CMOCKA),yes)
TEST_CFLAGS = -DB2S6_CMOCKA $(shell $(PKG_CONFIG) --cflags cmocka)
TEST_LIBS = $(shell $(PKG_CONFIG) --libs cmocka)
endif

TEST_PROGRAMS = tests/digest.c tests/failing.c tests/byte_model.c tests/text_model.c tests/random_models.c tests/golden_main.c \
                tests/work.c tests/bits.c
ELEMENTARY_SOURCES = $(sort $(wildcard tests/elementary*.c))
CHECK_SOURCES = $(filter-out $(TEST_PROGRAMS) $(ELEMENTARY_SOURCES),$(sort $(wildcard tests/*.c)))
# The converter, which the tests make their models with: the command line program without its verbs.
CONVERTER_OBJECTS = $(filter-out $(BUILD)/cli/examples/cli/main.o $(BUILD)/cli/examples/cli/verb_%.o,$(CLI_OBJECTS))
TEST_FLAGS = -I. -DTESTS_DIR='"$(CURDIR)/tests"' $(TEST_CFLAGS)
DIGEST_SOURCES = $(addprefix tests/,digest.c runner.c trained.c files.c generate.c mamba2.c subjects.c streams.c ways.c)
GOLDEN_SOURCES = $(addprefix tests/,golden_main.c golden.c runner.c trained.c files.c generate.c mamba2.c subjects.c streams.c)
BYTE_MODEL_SOURCES = $(addprefix tests/,byte_model.c bytes.c runner.c trained.c files.c generate.c mamba2.c subjects.c)
TEXT_MODEL_SOURCES = $(addprefix tests/,text_model.c hugging_face.c runner.c trained.c files.c generate.c mamba2.c)
RANDOM_MODELS_SOURCES = $(addprefix tests/,random_models.c reference.c reference_unit.c runner.c trained.c files.c generate.c \
                        mamba2.c reference_mamba2.c subjects.c)
WORK_SOURCES = $(addprefix tests/,work.c model_file.c runner.c trained.c files.c generate.c mamba2.c subjects.c)
BENCH_SOURCES = $(sort $(wildcard tests/bench/*.c))
BENCH_LIMITS = $(filter $(BUILD)/cli/examples/cli/bench/limits%.o,$(CLI_OBJECTS))
FAILING_SOURCES = tests/failing.c tests/runner.c
# The library under test, which may be of another build (tests/stack.sh).
CHECK_LIBRARY ?= $(BUILD)/libb2s6.a

# GNU ld and lld can show the tests every call of malloc (tests/wrap.h).
comma = ,
WRAP_LDFLAGS = $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc free aligned_alloc posix_memalign)
WRAP ?= $(shell echo 'int main(void) { return 0; }' | $(CC) -xc - -o /dev/null $(WRAP_LDFLAGS) 2>/dev/null && echo yes || echo no)
ifeq ($(WRAP),yes)
TEST_FLAGS += -DB2S6_TEST_WRAP
TEST_LDFLAGS = $(WRAP_LDFLAGS)
endif

$(BUILD)/tests/%.o: %.c Makefile tests/tests.mk
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(B2S6_CFLAGS) $(TEST_FLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/check: $(CHECK_SOURCES:%.c=$(BUILD)/tests/%.o) $(SPEECH_PARTS) $(CONVERTER_OBJECTS) $(CHECK_LIBRARY)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(TEST_LDFLAGS) -o $@ $^ $(TEST_LIBS) -lm -lpthread

$(BUILD)/tests/digest: $(DIGEST_SOURCES:%.c=$(BUILD)/tests/%.o) $(CONVERTER_OBJECTS) $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) -lm -lpthread

$(BUILD)/tests/golden: $(GOLDEN_SOURCES:%.c=$(BUILD)/tests/%.o) $(CONVERTER_OBJECTS) $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) -lm -lpthread

$(BUILD)/tests/byte_model: $(BYTE_MODEL_SOURCES:%.c=$(BUILD)/tests/%.o) $(CONVERTER_OBJECTS) $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) -lm

$(BUILD)/tests/text_model: $(TEXT_MODEL_SOURCES:%.c=$(BUILD)/tests/%.o) $(CONVERTER_OBJECTS) $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) -lm

$(BUILD)/tests/random_models: $(RANDOM_MODELS_SOURCES:%.c=$(BUILD)/tests/%.o) $(CONVERTER_OBJECTS) $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) -lm

$(BUILD)/tests/work: $(WORK_SOURCES:%.c=$(BUILD)/tests/%.o) $(CONVERTER_OBJECTS) $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) -lm

$(BUILD)/tests/failing: $(FAILING_SOURCES:%.c=$(BUILD)/tests/%.o) $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS)

$(BUILD)/tests/elementary: $(ELEMENTARY_SOURCES:%.c=$(BUILD)/tests/%.o) $(BUILD)/tests/tests/runner.o $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) -lm

$(BUILD)/tests/bench_kernels: $(BENCH_SOURCES:%.c=$(BUILD)/tests/%.o) $(BENCH_LIMITS) $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm

$(BUILD)/tests/slow_modes: $(BUILD)/tests/tests/tools/slow_modes.o $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm

# bench_kernels and slow_modes are only built: they look past b2s6.h, so a change of the kernels could break them unseen.
check: all $(BUILD)/speech $(BUILD)/tests/check $(BUILD)/tests/elementary $(BUILD)/tests/failing $(BUILD)/tests/byte_model \
        $(BUILD)/tests/text_model $(BUILD)/tests/bench_kernels $(BUILD)/tests/slow_modes
	$(SAY) TEST 'check_sources.py: no circle of files in src and examples/cli, no function longer than a screen'
	@if $(PYTHON) -c '' 2>/dev/null; then $(PYTHON) tests/tools/check_sources.py --test && $(PYTHON) tests/tools/check_sources.py src && \
	    $(PYTHON) tests/tools/check_sources.py examples/cli; \
	    else echo 'not run here: check_sources.py: no $(PYTHON)'; fi
	$(SAY) TEST 'check_runner.sh: failures are noticed'
	@tests/check_runner.sh $(BUILD)/tests/failing
	$(SAY) TEST 'check_cli.sh: the program, all verbs'
	@tests/check_cli.sh $(BUILD)/b2s6 tests
	$(SAY) TEST 'check_containers.sh: folders of checkpoints'
	@tests/check_containers.sh $(BUILD)/b2s6 tests
	$(SAY) TEST 'abi.sh: older programs run on this library'
	@CC="$(CC)" CFLAGS="$(CFLAGS)" tests/abi.sh $(BUILD)
	$(SAY) TEST 'check_embed.sh: models as C arrays'
	@CC='$(CC)' tests/check_embed.sh $(BUILD)/b2s6 $(BUILD)/libb2s6.a tests
	$(SAY) TEST 'check_bytes.sh: score, generate, compress, decompress'
	@tests/check_bytes.sh $(BUILD)/b2s6 $(BUILD)/tests/byte_model examples/models/bytes.b2s6
	$(SAY) TEST 'check_text.sh: tokenize, generate, score with a tokenizer'
	@tests/check_text.sh $(BUILD)/b2s6 $(BUILD)/tests/text_model tests
	$(SAY) TEST 'check_speech.sh: spoken digits'
	@tests/check_speech.sh $(BUILD)/speech tests
	$(SAY) TEST 'check_lra.sh: lists and snakes'
	@CC='$(CC)' tests/check_lra.sh $(BUILD)/libb2s6.a tests
	$(SAY) TEST 'elementary: exp, sine and the others over all floats'
	@$(BUILD)/tests/elementary
	$(SAY) TEST 'check: the library, suite by suite; one alone: $(BUILD)/tests/check SUITE'
	@$(BUILD)/tests/check

# For a person: what `b2s6 generate` takes beside the library's own run and steps (tests/tools/text_cost.c).
$(BUILD)/tests/text_cost: $(BUILD)/tests/tests/tools/text_cost.o $(CONVERTER_OBJECTS) $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm -lpthread

digest: $(BUILD)/tests/digest
	$(BUILD)/tests/digest

# make bench-kernels ARGUMENTS="--isa avx2 examples/models/digits.b2s6"
bench-kernels: $(BUILD)/tests/bench_kernels
	$(BUILD)/tests/bench_kernels $(ARGUMENTS)

# A million steps of 64 modes: some minutes.
slow-modes: $(BUILD)/tests/slow_modes
	$(BUILD)/tests/slow_modes

.PHONY: digest bench-kernels slow-modes

-include $(patsubst %.c,$(BUILD)/tests/%.d,$(CHECK_SOURCES) $(ELEMENTARY_SOURCES) $(TEST_PROGRAMS) $(BENCH_SOURCES) \
    tests/tools/slow_modes.c)

include tests/fuzz.mk
