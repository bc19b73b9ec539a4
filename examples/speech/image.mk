# Spoken digits on boards: included by the Makefile after examples/firmware/firmware.mk, whose boards, builds and library it takes.
#
#   make firmware-speech    builds the image for every board, runs it under QEMU, compares words and digest with the desktop's

SI_BUILD = $(FW_BUILD)/speech
SI_SOURCES = $(addprefix $(SPEECH)/,image.c listener.c frontend.c detector.c)
# The first 6.9 s: the words 3 8 2 3 4 6. Flash of the smallest board has room for them.
SI_STREAM = -DSTREAM='"$(SPEECH)/clips/stream.wav"' -DSTREAM_BYTES=115244

.SECONDARY: $(foreach type,f32 q8,$(addprefix $(SI_BUILD)/$(type)/speech_model,.c .b2s6))

$(SI_BUILD)/f32/speech_model.b2s6: examples/models/speech.b2s6
	@mkdir -p $(@D)
	@cp $< $@

$(SI_BUILD)/q8/speech_model.b2s6: examples/models/speech-q8.b2s6
	@mkdir -p $(@D)
	@cp $< $@

$(SI_BUILD)/%/speech_model.c: $(SI_BUILD)/%/speech_model.b2s6 $(BUILD)/b2s6
	$(SAY) EMB $@
	$(Q)$(BUILD)/b2s6 embed $< $@

$(SI_BUILD)/%/desktop: $(SI_BUILD)/%/speech_model.c $(SI_SOURCES) $(SPEECH)/stream.S $(FW)/board_desktop.c $(FW)/print.c $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(B2S6_CFLAGS) $(CFLAGS) $(SI_STREAM) -I. -I$(@D) -o $@ $(filter %.c %.S %.a,$^) -lm

$(SI_BUILD)/%/desktop.txt: $(SI_BUILD)/%/desktop
	@$< >$@

# $(1) the board, $(2) the build, $(3) where its library lies.
define SI_IMAGE
$(SI_BUILD)/$(1)/$(2)/image.elf: $$(SI_BUILD)/$(2)/speech_model.c $$(SI_SOURCES) $$(SPEECH)/stream.S $$($(3)_LIBRARY) \
    $$(addprefix $$(FW)/,print.c memory_functions.c $$($(1)_SOURCES) $$($(1)_SCRIPT) sections.ld)
	@mkdir -p $$(@D)
	$$(SAY) LD $$@
	$$(Q)$$($(1)_PREFIX)gcc $$($(1)_CPU) $$(filter-out -fcallgraph-info=su,$$(FW_CFLAGS)) -Os $$($(2)_SWITCHES) $$(SI_STREAM) -I. -I$$(SI_BUILD)/$(2) \
	    $$(FW_LINK) -T $$($(1)_SCRIPT) -o $$@ $$(filter %.c %.S %.o,$$^) -lgcc

$(SI_BUILD)/$(1)/$(2)/output.txt: $(SI_BUILD)/$(1)/$(2)/image.elf $(SI_BUILD)/$(2)/desktop.txt
	$$(Q)timeout 300 $$($(1)_RUN) -kernel $$< -icount shift=0 -display none -monitor none -serial stdio </dev/null >$$@.part || \
	    { cat $$@.part; echo "$(1), $(2): the image failed" >&2; exit 1; }
	$$(Q)grep -v '^#' $$@.part | tr -d '\r' | cmp - $(SI_BUILD)/$(2)/desktop.txt || { cat $$@.part; exit 1; }
	$$(Q)mv $$@.part $$@
	@echo '$(1), $(2): the desktop'"'"'s words and beliefs'; grep '^#' $$@; $$($(1)_PREFIX)size $$<

firmware-speech: $(SI_BUILD)/$(1)/$(2)/output.txt
endef
$(foreach board,$(FW_BOARDS),$(foreach build,f32 q8,$(eval $(call SI_IMAGE,$(board),$(build),$(FW_BUILD)/$(board)/$(build)))))

.PHONY: firmware-speech
