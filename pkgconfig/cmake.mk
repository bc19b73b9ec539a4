# The CMake package, installed with the library: included by the Makefile. CMAKEDIR is where it goes.

CMAKEDIR ?= $(LIBDIR)/cmake/b2s6
cmake_way = $(shell FROM="$(CMAKEDIR)" TO="$(1)" awk -f pkgconfig/relative_path.awk)
# What the minor version means: see SONAME.
ABI = $(patsubst libb2s6.so.%,%,$(SONAME))
POINTER_SIZE = $(shell echo __SIZEOF_POINTER__ | $(CC) $(CPPFLAGS) $(CFLAGS) -E -P - | tail -n 1)

# Made anew each time: the directories may be others than at the last call.
.PHONY: $(BUILD)/b2s6-config.cmake $(BUILD)/b2s6-config-version.cmake
$(BUILD)/b2s6-config.cmake $(BUILD)/b2s6-config-version.cmake: $(BUILD)/%: pkgconfig/%.in b2s6.h
	@mkdir -p $(@D)
	$(SAY) SED $@
	$(Q)sed -e 's|@TO_INCLUDEDIR@|$(call cmake_way,$(INCLUDEDIR))|' -e 's|@TO_LIBDIR@|$(call cmake_way,$(LIBDIR))|' \
	    -e 's|@VERSION@|$(VERSION)|' -e 's|@MAJOR@|$(MAJOR)|' -e 's|@ABI@|$(ABI)|' -e 's|@SONAME@|$(SONAME)|' \
	    -e 's|@POINTER_SIZE@|$(POINTER_SIZE)|' $< >$@

install: install-cmake
install-cmake: $(BUILD)/b2s6-config.cmake $(BUILD)/b2s6-config-version.cmake
	$(INSTALL) -d "$(DESTDIR)$(CMAKEDIR)"
	$(INSTALL) -m 644 $^ "$(DESTDIR)$(CMAKEDIR)"

uninstall: uninstall-cmake
uninstall-cmake:
	rm -f "$(DESTDIR)$(CMAKEDIR)/b2s6-config.cmake" "$(DESTDIR)$(CMAKEDIR)/b2s6-config-version.cmake"
	rmdir "$(DESTDIR)$(CMAKEDIR)" 2>/dev/null || :

.PHONY: install-cmake uninstall-cmake
