# A fleet of workers on Redis: included by the Makefile. Nothing else needs what it needs.
#
#   make fleet          build/fleet/fleet, a server of its own on loopback, and everything that must hold, in two minutes
#   make fleet-long     the same with 10,000 streams and 2 million events
#   make fleet-program  the program alone

FLEET = examples/fleet
FLEET_SOURCES = $(sort $(wildcard $(FLEET)/*.c))
FLEET_OBJECTS = $(FLEET_SOURCES:%.c=$(BUILD)/fleet-parts/%.o) $(BUILD)/fleet-parts/scripts.o
FLEET_SCRIPTS = $(addprefix $(FLEET)/,claim.lua commit.lua release.lua seen.lua)

# Each script as a C text of its name, line by line.
$(BUILD)/fleet-parts/scripts.c: $(FLEET_SCRIPTS) $(FLEET)/fleet.mk
	@mkdir -p $(@D)
	$(SAY) SED $@
	$(Q){ echo '#include "scripts.h"'; for f in $(FLEET_SCRIPTS); do \
	    echo "const char $$(basename $$f .lua)_lua[] ="; \
	    sed -e '/^--/d' -e 's/["\\]/\\&/g' -e 's/.*/    "&\\n"/' $$f; echo '    ;'; done; } >$@

$(BUILD)/fleet-parts/%.o: %.c Makefile $(FLEET)/fleet.mk
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(B2S6_CFLAGS) -I. $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/fleet-parts/scripts.o: $(BUILD)/fleet-parts/scripts.c
	$(SAY) CC $<
	$(Q)$(CC) $(B2S6_CFLAGS) -I$(FLEET) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/fleet/fleet: $(FLEET_OBJECTS) $(BUILD)/libb2s6.a
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lhiredis -lm

fleet-tools:
	@command -v redis-server >/dev/null && echo '#include <hiredis/hiredis.h>' | $(CC) -E - >/dev/null 2>&1 || \
	    { echo 'make fleet: needs redis-server and libhiredis-dev (apt-get install redis-server libhiredis-dev)'; exit 1; }

fleet-program: fleet-tools
	@$(MAKE) --no-print-directory $(BUILD)/fleet/fleet

fleet: fleet-program
	@$(FLEET)/run_fleet.py --build $(BUILD)

fleet-long: fleet-program
	@$(FLEET)/run_fleet.py --build $(BUILD) --long

-include $(FLEET_OBJECTS:.o=.d)

.PHONY: fleet fleet-long fleet-program fleet-tools
