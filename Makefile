# libb2s6: build, check, demo, install. Needs a C99 compiler, ar and make; see README.md.
#
#   make            build/libb2s6.a, build/libb2s6.so, build/b2s6; STATIC=yes: a program that needs no libb2s6.so
#   make check      all tests; with cmocka if pkg-config finds it
#   make demo       the shipped models on real input
#   make install    PREFIX, DESTDIR, BINDIR, LIBDIR, INCLUDEDIR, PKGCONFIGDIR, CMAKEDIR, MANDIR; RPATH=no for
#                   distributions; docs/man/man.mk has the folders of completion

CC ?= cc
AR ?= ar
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
INSTALL ?= install
PKG_CONFIG ?= pkg-config
BUILD ?= build
# make V=1 shows the commands
Q = $(if $(V),,@)
SAY = @$(if $(V),:,printf '  %-4s %s\n')

# The version stands once, in b2s6.h.
version_part = $(shell sed -n 's/^.define B2S6_VERSION_$(1) //p' b2s6.h)
MAJOR := $(call version_part,MAJOR)
MINOR := $(call version_part,MINOR)
VERSION := $(MAJOR).$(MINOR).$(call version_part,PATCH)

WARNINGS = -Wall -Wextra -Wshadow -Wundef -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual
# Results are defined bit by bit: no contraction but the fused operations that are written. Square roots never set errno.
B2S6_CFLAGS = -std=c99 -pedantic $(WARNINGS) -ffp-contract=off -fno-math-errno
# With -std=c99 gcc takes float_t on s390 for double, a relic; float arithmetic is what the machine has.
ifneq ($(findstring s390,$(shell $(CC) -dumpmachine)),)
B2S6_CFLAGS += -fexcess-precision=fast
endif

# With -g half of the time that gcc takes for kernels goes into where their variables are, line by line; the code is the same without.
KERNELS_CFLAGS := $(shell $(CC) -Werror -fno-var-tracking-assignments -xc -c -o /dev/null /dev/null 2>/dev/null && \
    echo -fno-var-tracking-assignments)

LIB_SOURCES = $(sort $(wildcard src/*.c src/*/*.c))
CLI_SOURCES = $(sort $(wildcard examples/cli/*.c examples/cli/*/*.c examples/cli/*/*/*.c))
LIB_OBJECTS = $(LIB_SOURCES:%.c=$(BUILD)/lib/%.o)
CLI_OBJECTS = $(CLI_SOURCES:%.c=$(BUILD)/cli/%.o)
# Until 1.0 every minor version is a library of its own: programs ask for 0.2, and 0.3 does not pass for it.
SONAME = libb2s6.so.$(if $(filter 0,$(MAJOR)),$(MAJOR).$(MINOR),$(MAJOR))

# The program uses the shared library, as any other would; a static one has the library inside.
STATIC ?= $(if $(filter -static%,$(CFLAGS) $(LDFLAGS)),yes,no)
PROGRAM_LIBRARY = $(BUILD)/$(if $(filter yes,$(STATIC)),libb2s6.a,$(SONAME))
# It looks for the shared library in a folder that is told from where it is itself: in the build folder beside it, installed
# where LIBDIR lies as seen from BINDIR. So it runs without ldconfig, and the whole PREFIX may be moved.
RPATH ?= yes
rpath_option = $(if $(filter yes,$(STATIC)),,-Xlinker -rpath -Xlinker $(1))
libdir_from_bindir = $$(FROM="$(BINDIR)" TO="$(LIBDIR)" awk -f pkgconfig/relative_path.awk)
installed_rpath = $(if $(filter no,$(RPATH)),,$(call rpath_option,"\$$ORIGIN$(libdir_from_bindir)"))

all: $(BUILD)/libb2s6.a $(BUILD)/libb2s6.so $(BUILD)/b2s6

# One compilation serves both libraries: the kernels take long, and with hidden symbols such code is as fast as the other.
$(BUILD)/lib/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(B2S6_CFLAGS) $(if $(findstring /kernels,$<),$(KERNELS_CFLAGS)) $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

$(BUILD)/cli/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(B2S6_CFLAGS) -I. $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libb2s6.a: $(LIB_OBJECTS)
	$(SAY) AR $@
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/$(SONAME): $(LIB_OBJECTS)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -o $@ $^ -lm

$(BUILD)/libb2s6.so: $(BUILD)/$(SONAME)
	@ln -sf $(SONAME) $@

$(BUILD)/b2s6: $(CLI_OBJECTS) $(PROGRAM_LIBRARY)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(call rpath_option,'$$ORIGIN') -o $@ $^ -lm -lpthread -ldl

# Linked anew each time: the directories may be others than at the last call.
.PHONY: $(BUILD)/installed/b2s6
$(BUILD)/installed/b2s6: $(CLI_OBJECTS) $(PROGRAM_LIBRARY)
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(installed_rpath) -o $@ $^ -lm -lpthread -ldl

include examples/speech/speech.mk
include tests/tests.mk
include examples/firmware/firmware.mk
include examples/speech/image.mk
include examples/fleet/fleet.mk
include examples/python/python.mk
include pkgconfig/cmake.mk
include docs/man/man.mk
include pkgconfig/dist.mk
include examples/packaging/packaging.mk
include examples/boards/boards.mk

demo: $(BUILD)/b2s6 $(BUILD)/speech
	@$(BUILD)/b2s6 demo examples/models/digits.b2s6 examples/models/digits-test.bin
	@echo
	@examples/demo.sh $(BUILD)/b2s6 examples/models/bytes.b2s6 docs/using.md
	@echo
	@echo 'Twenty spoken digits over noise, as they are understood:'
	@$(BUILD)/speech examples/models/speech.b2s6 examples/speech/clips/stream.wav

# Made anew each time: the directories may be others than at the last call.
.PHONY: $(BUILD)/b2s6.pc
$(BUILD)/b2s6.pc: pkgconfig/b2s6.pc.in b2s6.h Makefile
	@mkdir -p $(@D)
	$(SAY) SED $@
	$(Q)sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
	    -e 's|@LIBDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))|' \
	    -e 's|@INCLUDEDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(INCLUDEDIR))|' pkgconfig/b2s6.pc.in >$@

install: all $(BUILD)/b2s6.pc $(BUILD)/installed/b2s6
	$(INSTALL) -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(LIBDIR)" "$(DESTDIR)$(INCLUDEDIR)" "$(DESTDIR)$(PKGCONFIGDIR)"
	$(INSTALL) -m 755 $(BUILD)/installed/b2s6 "$(DESTDIR)$(BINDIR)/b2s6"
	$(INSTALL) -m 644 $(BUILD)/libb2s6.a "$(DESTDIR)$(LIBDIR)/libb2s6.a"
	$(INSTALL) -m 755 $(BUILD)/$(SONAME) "$(DESTDIR)$(LIBDIR)/libb2s6.so.$(VERSION)"
	ln -sf libb2s6.so.$(VERSION) "$(DESTDIR)$(LIBDIR)/$(SONAME)"
	ln -sf $(SONAME) "$(DESTDIR)$(LIBDIR)/libb2s6.so"
	$(INSTALL) -m 644 b2s6.h "$(DESTDIR)$(INCLUDEDIR)/b2s6.h"
	$(INSTALL) -m 644 $(BUILD)/b2s6.pc "$(DESTDIR)$(PKGCONFIGDIR)/b2s6.pc"

uninstall:
	rm -f "$(DESTDIR)$(BINDIR)/b2s6" "$(DESTDIR)$(INCLUDEDIR)/b2s6.h" "$(DESTDIR)$(PKGCONFIGDIR)/b2s6.pc"
	rm -f "$(DESTDIR)$(LIBDIR)/libb2s6.a" "$(DESTDIR)$(LIBDIR)/libb2s6.so" "$(DESTDIR)$(LIBDIR)/$(SONAME)" \
	    "$(DESTDIR)$(LIBDIR)/libb2s6.so.$(VERSION)"

clean:
	rm -rf $(BUILD)

-include $(LIB_OBJECTS:.o=.d) $(CLI_OBJECTS:.o=.d)

.PHONY: all check demo install uninstall clean
.DELETE_ON_ERROR:
