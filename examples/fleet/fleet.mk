# A fleet of workers on Redis: included by the Makefile. Nothing else needs what it needs.
#
#   make fleet          build/fleet/fleet, a server of its own, and everything that must hold: 10,000 streams, 2 million events
#   make fleet-short    the same with fewer of both, in less than two minutes
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

fleet-short: fleet-program
	@$(FLEET)/run_fleet.py --build $(BUILD) --short

-include $(FLEET_OBJECTS:.o=.d)

.PHONY: fleet fleet-short fleet-program fleet-tools
