# Packages for boards: included by the Makefile.
#
#   make boards         build/boards: an Arduino library (also PlatformIO's), an ESP-IDF component, a Zephyr module, a CMSIS pack
#   make boards-check   their layouts, and their examples by the cross compilers, run under QEMU where there is a board
#
# All are made of the amalgamation and examples/boards. Wants python3; the check also gcc-arm-none-eabi,
# gcc-riscv64-unknown-elf and qemu-system-arm.

BOARDS = examples/boards
BOARDS_MODEL = $(BUILD)/boards-model

$(BOARDS_MODEL)/digits.c: examples/models/digits-q8.b2s6 $(BUILD)/b2s6
	@mkdir -p $(@D)
	$(SAY) EMB $@
	$(Q)$(BUILD)/b2s6 embed $< $@

boards: $(BUILD)/amalgamation/b2s6.c $(BOARDS_MODEL)/digits.c
	$(SAY) PACK $(BUILD)/boards
	$(Q)$(PYTHON) $(BOARDS)/make_boards.py --version $(VERSION) --date $(CHANGE_DATE) --library $(BUILD)/amalgamation \
	    --model $(BOARDS_MODEL) --out $(BUILD)/boards

boards-check: boards
	@BUILD='$(BUILD)' PYTHON='$(PYTHON)' CC='$(CC)' tests/check_boards.sh

.PHONY: boards boards-check
