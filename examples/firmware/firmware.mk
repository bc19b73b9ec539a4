# Firmware: included by the Makefile.
#
#   make firmware-check     builds the image for every board, runs it under QEMU, compares its output with the desktop's
#   make firmware-size      measures every build; fails where a figure of docs/firmware.md has grown by more than 3 %
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
FW_BUILDS = digits small words fast
digits_SWITCHES = $(small_SWITCHES) -DB2S6_NO_MAMBA -DB2S6_NO_BIDIRECTIONAL -DB2S6_NO_OTHER_UNITS
small_SWITCHES = $(words_SWITCHES) -DB2S6_NO_MESSAGES
words_SWITCHES = -DB2S6_FREESTANDING -DB2S6_SMALL -DB2S6_NO_ISAS
fast_SWITCHES = $(filter-out -DB2S6_SMALL,$(digits_SWITCHES))
fast_LEVEL = -O2

FW_CFLAGS = -std=c99 -pedantic $(WARNINGS) -Werror -ffreestanding -ffunction-sections -fdata-sections -ffp-contract=off \
    -fno-math-errno -fno-tree-loop-distribute-patterns -fcallgraph-info=su
FW_LINK = -nostdlib -static -L$(FW) -Wl,--gc-sections -Wl,--fatal-warnings -Wl,--no-warn-rwx-segments -Wl,-z,noexecstack

FW_LIB_SOURCES = $(filter-out src/file.c src/x86/% src/arm/%,$(LIB_SOURCES))
FW_SOURCES = image.c refusals.c print.c memory_functions.c digits_data.S
FW_MODELS = digits mamba small
FW_MODEL_SOURCES = $(FW_MODELS:%=$(FW_BUILD)/models/%.c)

# ---------------------------------------------------------------------------------------------------- the models as C arrays

.SECONDARY: $(FW_MODEL_SOURCES) $(FW_MODELS:%=$(FW_BUILD)/models/%.b2s6)

$(FW_BUILD)/models/%.b2s6: $(BUILD)/b2s6
	@mkdir -p $(@D)
	$(Q)$(BUILD)/b2s6 convert tests/cases/$(if $(filter mamba,$*),b2s6-mamba,long)/model.safetensors $@ >/dev/null

$(FW_BUILD)/models/digits.b2s6: examples/models/digits.b2s6
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

$(3)/src/%.o: src/%.c $$(FW)/firmware.mk
	@mkdir -p $$(@D)
	$$(SAY) CC '$$< ($(1), $(2))'
	$$(Q)$$($(1)_PREFIX)gcc $$($(1)_CPU) $$(FW_CFLAGS) $$(or $$($(2)_LEVEL),-Os) $$($(2)_SWITCHES) -MMD -MP -c -o $$@ $$<

$(3)/%.o: $$(FW)/%.c $$(FW)/firmware.mk $$(FW_MODEL_SOURCES)
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_PREFIX)gcc $$($(1)_CPU) $$(FW_CFLAGS) $$(or $$($(2)_LEVEL),-Os) $$($(2)_SWITCHES) -DIMAGES=$$($(1)_IMAGES) -I. -I$$(FW_BUILD)/models \
	    -MMD -MP -c -o $$@ $$<

$(3)/%.o: $$(FW)/%.S examples/models/digits-test.bin
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_PREFIX)gcc $$($(1)_CPU) -DDIGITS_TEST='"examples/models/digits-test.bin"' -c -o $$@ $$<

$(3)/model_%.o: $$(FW_BUILD)/models/%.c
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_PREFIX)gcc $$($(1)_CPU) $$(FW_CFLAGS) -Os -I. -c -o $$@ $$<

$(3)/image.elf: $$($(3)_IMAGE) $$($(3)_LIBRARY) $$(FW)/$$($(1)_SCRIPT) $$(FW)/sections.ld
	$$(SAY) LD $$@
	$$(Q)$$($(1)_PREFIX)gcc $$($(1)_CPU) $$(FW_LINK) -T $$($(1)_SCRIPT) -o $$@ $$($(3)_IMAGE) $$($(3)_LIBRARY) -lgcc

$(3)/output.txt: $(3)/image.elf $$(FW_BUILD)/desktop.txt $$(FW)/tools/run_image.sh
	$$(Q)$$(FW)/tools/run_image.sh $$@ $$(FW_BUILD)/desktop.txt $$($(1)_RUN) -kernel $$<

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
FW_DESKTOP_SOURCES = $(FW)/image.c $(FW)/no_refusals.c $(FW)/print.c $(FW)/board_desktop.c $(FW)/digits_data.S \
    $(FW_BUILD)/models/digits.c

$(FW_BUILD)/desktop: $(FW_DESKTOP_SOURCES) $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(B2S6_CFLAGS) $(CFLAGS) -DIMAGES=8 -DDIGITS_TEST='"examples/models/digits-test.bin"' -I. -I$(FW_BUILD)/models \
	    -o $@ $^ -lm

$(FW_BUILD)/desktop.txt: $(FW_BUILD)/desktop
	@$< >$@

# Every switch alone, and sets of them, "+" between two: the library as one file, for this machine, without a warning; the
# program gives the same lines, or is refused where the switch leaves out what it needs.
FW_SWITCHED = NO_FILES SMALL NO_MAMBA+NO_OTHER_UNITS NO_ISAS $(addsuffix +NO_ISAS,NO_FILES NO_MALLOC NO_MESSAGES NO_MAMBA \
    NO_BIDIRECTIONAL NO_NORM_RMS NO_DELTA_LOWRANK NO_REAL NO_OTHER_UNITS SMALL FREESTANDING SMALL+SOFT_FMA_INTEGER+SOFT_SQRT \
    FREESTANDING+SMALL FREESTANDING+NO_MESSAGES FREESTANDING+SMALL+NO_MESSAGES \
    FREESTANDING+SMALL+NO_MESSAGES+NO_MAMBA+NO_BIDIRECTIONAL+NO_OTHER_UNITS)
FW_SWITCHED_REFUSED = $(addsuffix +NO_ISAS,NO_VERIFY NO_S4 NO_NORM_LAYER NO_COMPLEX NO_S4+NO_COMPLEX+NO_NORM_LAYER)

$(FW_BUILD)/switches/%.o: $(BUILD)/amalgamation/b2s6.c
	@mkdir -p $(@D)
	$(SAY) CC '$*'
	$(Q)$(CC) -std=c99 -pedantic $(WARNINGS) -Werror -O1 -ffp-contract=off -fno-math-errno $(patsubst %,-DB2S6_%,$(subst +, ,$*)) -c -o $@ $<

$(FW_BUILD)/switches/%.txt: $(FW_BUILD)/switches/%.o $(FW_BUILD)/desktop
	$(Q)$(CC) $(B2S6_CFLAGS) $(CFLAGS) -DIMAGES=8 -DDIGITS_TEST='"examples/models/digits-test.bin"' -I. -I$(FW_BUILD)/models \
	    -o $(@:.txt=) $(FW_DESKTOP_SOURCES) $< -lm
	@$(@:.txt=) >$@ || true

.SECONDARY: $(FW_SWITCHED:%=$(FW_BUILD)/switches/%.o) $(FW_SWITCHED_REFUSED:%=$(FW_BUILD)/switches/%.o)

firmware-switches: $(FW_BUILD)/desktop.txt $(FW_SWITCHED:%=$(FW_BUILD)/switches/%.txt) $(FW_SWITCHED_REFUSED:%=$(FW_BUILD)/switches/%.txt)
	$(Q)for s in $(FW_SWITCHED); do cmp $(FW_BUILD)/desktop.txt $(FW_BUILD)/switches/$$s.txt || exit 1; done
	$(Q)for s in $(FW_SWITCHED_REFUSED); do echo 'open failed: status 40' | cmp - $(FW_BUILD)/switches/$$s.txt || exit 1; done
	@echo 'firmware-switches: $(words $(FW_SWITCHED)) builds with the same bits, $(words $(FW_SWITCHED_REFUSED)) that refuse the model'

firmware-check: $(FW_BOARDS:%=firmware-check-%)

FW_FIGURES = $(foreach board,$(FW_BOARDS),$(foreach build,$(FW_BUILDS),$(FW_BUILD)/$(board)/$(build)/output.txt \
    $(FW_BUILD)/$(board)/$(build)/figures.txt))
FW_REPORT = $(PYTHON) $(FW)/tools/report.py --folder $(FW_BUILD) --document docs/firmware.md --builds "$(FW_BUILDS)" $(FW_BOARDS)

firmware-size: $(FW_FIGURES)
	$(Q)$(FW_REPORT)

firmware-report: $(FW_FIGURES)
	$(Q)$(FW_REPORT) --write

.PHONY: firmware-check firmware-size firmware-report firmware-switches $(FW_BOARDS:%=firmware-check-%)
