# Firmware: included by the Makefile.
#
#   make firmware-check     builds the image for every board, runs it under QEMU, compares its output with the desktop's
#   make firmware-size      measures every build; fails where a figure of docs/firmware.md has grown by more than 3 %, or is more
#                           than promised
#   make firmware-report    the same, and writes the figures into docs/firmware.md
#   make firmware-switches  builds the library with the switches of src/switches.h in many combinations, for this machine
#   make amalgamation       build/amalgamation/b2s6.c and b2s6.h: the library as one file
#
# Wants Debian's gcc-arm-none-eabi, gcc-riscv64-unknown-elf, qemu-system-arm, qemu-system-misc and python3; no C library.

FW = examples/firmware
FW_BUILD = $(BUILD)/firmware
PYTHON ?= python3
ARM_PREFIX ?= arm-none-eabi-
RISCV_PREFIX ?= riscv64-unknown-elf-

# A board: compiler, its own sources, linker script, emulator, and how many images it reads.
FW_BOARDS = mps2_an386 microbit rv32imafc rv32imac

mps2_an386_PREFIX = $(ARM_PREFIX)
mps2_an386_CPU = -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16
mps2_an386_SOURCES = start_cortex_m.c board_mps2_an386.c
mps2_an386_SCRIPT = mps2_an386.ld
mps2_an386_RUN = qemu-system-arm -M mps2-an386 -semihosting-config enable=on,target=native
mps2_an386_IMAGES = 8

microbit_PREFIX = $(ARM_PREFIX)
microbit_CPU = -mcpu=cortex-m0 -mthumb
microbit_SOURCES = start_cortex_m.c board_microbit.c
microbit_SCRIPT = microbit.ld
microbit_RUN = qemu-system-arm -M microbit -semihosting-config enable=on,target=native
microbit_IMAGES = 2

rv32imafc_PREFIX = $(RISCV_PREFIX)
rv32imafc_CPU = -march=rv32imafc -mabi=ilp32f
rv32imafc_SOURCES = board_virt.c
rv32imafc_SCRIPT = virt.ld
rv32imafc_RUN = qemu-system-riscv32 -M virt -bios none
rv32imafc_IMAGES = 8

rv32imac_PREFIX = $(RISCV_PREFIX)
rv32imac_CPU = -march=rv32imac -mabi=ilp32
rv32imac_SOURCES = board_virt.c
rv32imac_SCRIPT = virt.ld
rv32imac_RUN = qemu-system-riscv32 -M virt -bios none
rv32imac_IMAGES = 4

# A build: what the library leaves out (src/switches.h), and the model that its image runs.
FW_BUILDS = f32 q8 small words fast
f32_SWITCHES = $(q8_SWITCHES) -DB2S6_NO_Q8
q8_SWITCHES = $(small_SWITCHES) -DB2S6_NO_MAMBA -DB2S6_NO_BIDIRECTIONAL -DB2S6_NO_OTHER_UNITS -DB2S6_NO_F16 -DB2S6_NO_Q4
small_SWITCHES = $(words_SWITCHES) -DB2S6_NO_MESSAGES
words_SWITCHES = -DB2S6_FREESTANDING -DB2S6_SMALL -DB2S6_NO_ISAS -DB2S6_NO_MAMBA2 -DB2S6_NO_MLP
fast_SWITCHES = $(filter-out -DB2S6_SMALL,$(f32_SWITCHES))
fast_LEVEL = -O2
q8_MODEL = q8

FW_CFLAGS = -std=c99 -pedantic $(WARNINGS) -Werror -ffreestanding -ffunction-sections -fdata-sections -ffp-contract=off \
    -fno-math-errno -fno-tree-loop-distribute-patterns -fcallgraph-info=su
FW_LINK = -nostdlib -static -L$(FW) -Wl,--gc-sections -Wl,--fatal-warnings -Wl,--no-warn-rwx-segments -Wl,-z,noexecstack

FW_LIB_SOURCES = $(filter-out src/file.c src/x86/% src/arm/%,$(LIB_SOURCES))
FW_SOURCES = image.c refusals.c print.c memory_functions.c digits_data.S
FW_MODELS = digits mamba small small_q8
# digits.c of each type in a folder of its own, the others beside them
FW_MODEL_SOURCES = $(FW_BUILD)/models/f32/digits.c $(FW_BUILD)/models/q8/digits.c $(addprefix $(FW_BUILD)/models/,mamba.c small.c small_q8.c)

# ---------------------------------------------------------------------------------------------------- the models as C arrays

.SECONDARY: $(FW_BUILD)/desktop-f32 $(FW_BUILD)/desktop-q8 $(FW_MODEL_SOURCES) $(FW_MODEL_SOURCES:.c=.b2s6)

$(FW_BUILD)/models/%.b2s6: $(BUILD)/b2s6
	@mkdir -p $(@D)
	$(Q)$(BUILD)/b2s6 convert tests/cases/$(if $(filter mamba,$*),b2s6-mamba,long)/model.safetensors $@ \
	    --type $(if $(filter %_q8,$*),q8,f32) >/dev/null

$(FW_BUILD)/models/f32/digits.b2s6: examples/models/digits.b2s6
	@mkdir -p $(@D)
	@cp $< $@

$(FW_BUILD)/models/q8/digits.b2s6: examples/models/digits-q8.b2s6
	@mkdir -p $(@D)
	@cp $< $@

$(FW_BUILD)/models/%.c: $(FW_BUILD)/models/%.b2s6 $(BUILD)/b2s6
	$(SAY) EMB $@
	$(Q)$(BUILD)/b2s6 embed $< $@

# ------------------------------------------------------------------------------- library, image and budget of board and build

# $(1) the board, $(2) the build, $(3) where they lie.
define FW_BOARD_BUILD
$(3)_LIBRARY = $$(FW_LIB_SOURCES:%.c=$(3)/%.o)
$(3)_IMAGE = $$(addprefix $(3)/,$$(addsuffix .o,$$(basename $$(FW_SOURCES) $$($(1)_SOURCES)))) $$(FW_MODELS:%=$(3)/model_%.o)
$(3)_TYPE = $$(or $$($(2)_MODEL),f32)

$(3)/src/%.o: src/%.c $$(FW)/firmware.mk
	@mkdir -p $$(@D)
	$$(SAY) CC '$$< ($(1), $(2))'
	$$(Q)$$($(1)_PREFIX)gcc $$($(1)_CPU) $$(FW_CFLAGS) $$(or $$($(2)_LEVEL),-Os) $$($(2)_SWITCHES) -MMD -MP -c -o $$@ $$<

$(3)/%.o: $$(FW)/%.c $$(FW)/firmware.mk $$(FW_MODEL_SOURCES)
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_PREFIX)gcc $$($(1)_CPU) $$(FW_CFLAGS) $$(or $$($(2)_LEVEL),-Os) $$($(2)_SWITCHES) -DIMAGES=$$($(1)_IMAGES) -I. \
	    -I$$(FW_BUILD)/models/$$($(3)_TYPE) -I$$(FW_BUILD)/models \
	    -MMD -MP -c -o $$@ $$<

$(3)/%.o: $$(FW)/%.S examples/models/digits-test.bin
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_PREFIX)gcc $$($(1)_CPU) -DDIGITS_TEST='"examples/models/digits-test.bin"' -c -o $$@ $$<

$(3)/model_digits.o: $$(FW_BUILD)/models/$$($(3)_TYPE)/digits.c
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_PREFIX)gcc $$($(1)_CPU) $$(FW_CFLAGS) -Os -I. -c -o $$@ $$<

$(3)/model_%.o: $$(FW_BUILD)/models/%.c
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_PREFIX)gcc $$($(1)_CPU) $$(FW_CFLAGS) -Os -I. -c -o $$@ $$<

$(3)/image.elf: $$($(3)_IMAGE) $$($(3)_LIBRARY) $$(FW)/$$($(1)_SCRIPT) $$(FW)/sections.ld
	$$(SAY) LD $$@
	$$(Q)$$($(1)_PREFIX)gcc $$($(1)_CPU) $$(FW_LINK) -T $$($(1)_SCRIPT) -o $$@ $$($(3)_IMAGE) $$($(3)_LIBRARY) -lgcc

$(3)/output.txt: $(3)/image.elf $$(FW_BUILD)/desktop-$$($(3)_TYPE).txt $$(FW)/tools/run_image.sh
	$$(Q)$$(FW)/tools/run_image.sh $$@ $$(FW_BUILD)/desktop-$$($(3)_TYPE).txt $$($(1)_RUN) -kernel $$<

$(3)/budget.elf: $$($(3)_LIBRARY) $(3)/budget.o $(3)/memory_functions.o
	$$(Q)$$($(1)_PREFIX)gcc $$($(1)_CPU) $$(FW_LINK) -T $$($(1)_SCRIPT) -Wl,-e,program -Wl,--defsym,elsewhere=stack_top -o $$@ $$^ -lgcc

$(3)/figures.txt: $(3)/budget.elf $$(wildcard $$(FW)/tools/*.py)
	$$(SAY) SIZE '$(1), $(2)'
	$$(Q)$$(PYTHON) $$(FW)/tools/measure.py --prefix $$($(1)_PREFIX) --elf $$< --program $(3)/budget.o \
	    --stack $$$$(echo B2S6_STACK_SIZE | $$($(1)_PREFIX)gcc $$($(1)_CPU) -ffreestanding $$($(2)_SWITCHES) -include b2s6.h -E -P - | \
	    tail -1) $$($(3)_LIBRARY) >$$@

firmware-check-$(1): $(3)/output.txt
endef
$(foreach board,$(FW_BOARDS),$(foreach build,$(FW_BUILDS),$(eval $(call \
    FW_BOARD_BUILD,$(board),$(build),$(FW_BUILD)/$(board)/$(build)))))

-include $(wildcard $(FW_BUILD)/*/*/*.d $(FW_BUILD)/*/*/src/*.d $(FW_BUILD)/*/*/src/*/*.d)

# -------------------------------------------------------------------------------------------------------- one file of it all

$(BUILD)/amalgamation/b2s6.c: $(LIB_SOURCES) $(wildcard src/*.h src/*/*.h) b2s6.h $(FW)/tools/amalgamate.py
	$(SAY) ONE $@
	$(Q)$(PYTHON) $(FW)/tools/amalgamate.py . $(@D)

amalgamation: $(BUILD)/amalgamation/b2s6.c

.PHONY: amalgamation

# ------------------------------------------------------------------------------------------------------------- comparisons

# The same program on this machine, with the library as it is used here.
FW_DESKTOP_SOURCES = $(addprefix $(FW)/,image.c no_refusals.c print.c board_desktop.c digits_data.S)
FW_DESKTOP = $(CC) $(B2S6_CFLAGS) $(CFLAGS) -DIMAGES=8 -DDIGITS_TEST='"examples/models/digits-test.bin"' -I. -o $@ $(FW_DESKTOP_SOURCES)

$(FW_BUILD)/desktop-%: $(FW_BUILD)/models/%/digits.c $(FW_DESKTOP_SOURCES) $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(FW_DESKTOP) -I$(<D) $< $(BUILD)/libb2s6.a -lm

# What the boards are compared with is compared with the stored bits itself.
$(FW_BUILD)/desktop-%.txt: $(FW_BUILD)/desktop-% tests/golden/digits-%.txt
	@$< >$@ && cmp tests/golden/digits-$*.txt $@ || { rm -f $@; exit 1; }

# Every switch alone, and sets of them, "+" between two: the library as one file, for this machine, without a warning; the
# program gives the same lines, or is refused where the switch leaves out what it needs.
FW_SWITCHED = NO_FILES SMALL NO_MAMBA+NO_OTHER_UNITS NO_F16+NO_Q4 NO_ISAS $(addsuffix +NO_ISAS,NO_FILES NO_MALLOC NO_MESSAGES \
    NO_MAMBA NO_MAMBA2 NO_MLP NO_MAMBA+NO_MAMBA2+NO_MLP NO_BIDIRECTIONAL NO_NORM_RMS NO_DELTA_LOWRANK NO_REAL NO_OTHER_UNITS \
    NO_F16 NO_Q4 SMALL FREESTANDING \
    SMALL+SOFT_FMA_INTEGER+SOFT_SQRT FREESTANDING+SMALL FREESTANDING+NO_MESSAGES FREESTANDING+SMALL+NO_MESSAGES \
    FREESTANDING+SMALL+NO_MESSAGES+NO_MAMBA+NO_BIDIRECTIONAL+NO_OTHER_UNITS+NO_F16+NO_Q4)
FW_SWITCHED_REFUSED = $(addsuffix +NO_ISAS,NO_VERIFY NO_S4 NO_NORM_LAYER NO_COMPLEX NO_S4+NO_COMPLEX+NO_NORM_LAYER)
# refuse q8 only
FW_SWITCHED_F32 = NO_Q8 $(addsuffix +NO_ISAS,NO_Q8 NO_F16+NO_Q8+NO_Q4)

$(FW_BUILD)/switches/%.o: $(BUILD)/amalgamation/b2s6.c
	@mkdir -p $(@D)
	$(SAY) CC '$*'
	$(Q)$(CC) -std=c99 -pedantic $(WARNINGS) -Werror -O1 -ffp-contract=off -fno-math-errno $(patsubst %,-DB2S6_%,$(subst +, ,$*)) -c -o $@ $<

define FW_SWITCHED_PROGRAM
$(FW_BUILD)/switches/%.$(1): $(FW_BUILD)/switches/%.o $(FW_BUILD)/models/$(1)/digits.c $(FW_DESKTOP_SOURCES)
	$$(Q)$$(FW_DESKTOP) -I$(FW_BUILD)/models/$(1) $(FW_BUILD)/models/$(1)/digits.c $$< -lm
endef
$(foreach type,f32 q8,$(eval $(call FW_SWITCHED_PROGRAM,$(type))))

$(FW_BUILD)/switches/%.txt: $(FW_BUILD)/switches/%
	@$< >$@ || true

FW_SWITCHED_ALL = $(FW_SWITCHED) $(FW_SWITCHED_REFUSED) $(FW_SWITCHED_F32)
.SECONDARY: $(foreach s,$(FW_SWITCHED_ALL),$(addprefix $(FW_BUILD)/switches/$(s),.o .f32 .q8))

firmware-switches: $(FW_BUILD)/desktop-f32.txt $(FW_BUILD)/desktop-q8.txt \
    $(foreach s,$(FW_SWITCHED_ALL),$(FW_BUILD)/switches/$(s).f32.txt $(FW_BUILD)/switches/$(s).q8.txt)
	$(Q)echo 'open failed: status 40' >$(FW_BUILD)/refused.txt
	$(Q)same() { for s in $$3; do cmp "$(FW_BUILD)/$$1" "$(FW_BUILD)/switches/$$s.$$2.txt" || exit 1; done; }; \
	    same desktop-f32.txt f32 '$(FW_SWITCHED) $(FW_SWITCHED_F32)'; same desktop-q8.txt q8 '$(FW_SWITCHED)'; \
	    same refused.txt f32 '$(FW_SWITCHED_REFUSED)'; same refused.txt q8 '$(FW_SWITCHED_REFUSED) $(FW_SWITCHED_F32)'
	@echo 'firmware-switches: $(words $(FW_SWITCHED_ALL)) builds give the same bits, or refuse what they leave out'

firmware-check: $(FW_BOARDS:%=firmware-check-%)

FW_FIGURES = $(foreach board,$(FW_BOARDS),$(foreach build,$(FW_BUILDS),$(FW_BUILD)/$(board)/$(build)/output.txt \
    $(FW_BUILD)/$(board)/$(build)/figures.txt))
FW_REPORT = $(PYTHON) $(FW)/tools/report.py --folder $(FW_BUILD) --document docs/firmware.md --builds "$(FW_BUILDS)" $(FW_BOARDS)

firmware-size: $(FW_FIGURES)
	$(Q)$(FW_REPORT)

firmware-report: $(FW_FIGURES)
	$(Q)$(FW_REPORT) --write

.PHONY: firmware-check firmware-size firmware-report firmware-switches $(FW_BOARDS:%=firmware-check-%)
