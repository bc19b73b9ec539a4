# The tests: included by the Makefile.
#
# build/tests/check        every suite, under cmocka where pkg-config finds it (CMOCKA=no: on our own runner)
# build/tests/elementary   the elementary functions, dense over all floats, on every instruction set
# build/tests/digest       one number over the outputs of many models, to compare builds and machines

CMOCKA ?= $(shell $(PKG_CONFIG) --exists cmocka 2>/dev/null && echo yes || echo no)
ifeq ($(CMOCKA),yes)
TEST_CFLAGS = -DB2S6_CMOCKA $(shell $(PKG_CONFIG) --cflags cmocka)
TEST_LIBS = $(shell $(PKG_CONFIG) --libs cmocka)
endif

TEST_PROGRAMS = tests/digest.c tests/failing.c
ELEMENTARY_SOURCES = $(sort $(wildcard tests/elementary*.c))
CHECK_SOURCES = $(filter-out $(TEST_PROGRAMS) $(ELEMENTARY_SOURCES),$(sort $(wildcard tests/*.c)))
# The converter, which the tests make their models with: the command line program without its verbs.
CONVERTER_OBJECTS = $(filter-out $(BUILD)/cli/examples/cli/main.o $(BUILD)/cli/examples/cli/verb_%.o,$(CLI_OBJECTS))
TEST_FLAGS = -I. -DTESTS_DIR='"$(CURDIR)/tests"' $(TEST_CFLAGS)

$(BUILD)/tests/%.o: %.c Makefile tests/tests.mk
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(B2S6_CFLAGS) $(TEST_FLAGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/check: $(CHECK_SOURCES:%.c=$(BUILD)/tests/%.o) $(CONVERTER_OBJECTS) $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) -lm -lpthread

$(BUILD)/tests/elementary: $(ELEMENTARY_SOURCES:%.c=$(BUILD)/tests/%.o) $(BUILD)/tests/tests/runner.o $(BUILD)/libb2s6.a
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) -lm

check: all $(BUILD)/tests/check $(BUILD)/tests/elementary
	$(BUILD)/tests/elementary
	$(BUILD)/tests/check

-include $(CHECK_SOURCES:%.c=$(BUILD)/tests/%.d) $(ELEMENTARY_SOURCES:%.c=$(BUILD)/tests/%.d)
