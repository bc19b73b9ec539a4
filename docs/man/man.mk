# Man pages and shell completion, made from b2s6.h and from the help texts of the program: included by the Makefile.
#
#   make man         build/man: b2s6.1, b2s6.3, b2s6.bash, _b2s6 (zsh), b2s6.fish; make install installs them
#   make man-check   they say what program and header say; wants groff, mandoc, bash, zsh and fish
#
# Wants awk alone. MANDIR, BASHCOMPDIR, ZSHCOMPDIR and FISHCOMPDIR are where they go.

MANDIR ?= $(PREFIX)/share/man
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d

MAN = docs/man
MAN_BUILD = $(BUILD)/man
MAN_FILES = $(addprefix $(MAN_BUILD)/,b2s6.1 b2s6.3 b2s6.bash _b2s6 b2s6.fish)
MAN_INSTALLED = "$(DESTDIR)$(MANDIR)/man1/b2s6.1" "$(DESTDIR)$(MANDIR)/man3/b2s6.3" "$(DESTDIR)$(BASHCOMPDIR)/b2s6" \
    "$(DESTDIR)$(ZSHCOMPDIR)/_b2s6" "$(DESTDIR)$(FISHCOMPDIR)/b2s6.fish"

# The day of the last change that users notice, so that one commit gives the same pages everywhere.
CHANGE_DATE = $(shell d=$$(git log -1 --format=%cd --date=format:%Y-%m-%d -- CHANGELOG.md 2>/dev/null); \
    test -n "$$d" || d=$$(date -u -r CHANGELOG.md +%Y-%m-%d); echo "$$d")
man_page = $(Q)awk -v version=$(VERSION) -v date=$(CHANGE_DATE) -f $(MAN)/$(@F).awk
# CLI_SOURCES in the order of their names; a text lives in main.c or in a verb's own file.
MAN_HELP_SOURCES = $(filter examples/cli/main.c examples/cli/verb_%,$(CLI_SOURCES))

man: $(MAN_FILES)

$(MAN_BUILD)/help-texts: $(MAN)/help_texts.awk $(MAN_HELP_SOURCES)
	@mkdir -p $(@D)
	$(Q)awk -f $(MAN)/help_texts.awk $(MAN_HELP_SOURCES) >$@

$(MAN_BUILD)/b2s6.1: $(MAN_BUILD)/help-texts $(MAN)/b2s6.1.awk b2s6.h CHANGELOG.md
	$(SAY) MAN $@
	$(man_page) $< >$@

$(MAN_BUILD)/b2s6.3: b2s6.h $(MAN)/b2s6.3.awk CHANGELOG.md
	@mkdir -p $(@D)
	$(SAY) MAN $@
	$(man_page) $< >$@

$(MAN_BUILD)/b2s6.bash: MAN_SHELL = bash
$(MAN_BUILD)/_b2s6: MAN_SHELL = zsh
$(MAN_BUILD)/b2s6.fish: MAN_SHELL = fish
$(MAN_BUILD)/b2s6.bash $(MAN_BUILD)/_b2s6 $(MAN_BUILD)/b2s6.fish: $(MAN_BUILD)/help-texts $(MAN)/completion.awk
	$(SAY) MAN $@
	$(Q)awk -v shell=$(MAN_SHELL) -f $(MAN)/completion.awk $< >$@

man-check: $(MAN_FILES) $(BUILD)/b2s6
	@tests/check_man.sh $(BUILD) --require "groff mandoc bash zsh fish"

install: install-man
install-man: $(MAN_FILES)
	$(INSTALL) -d "$(DESTDIR)$(MANDIR)/man1" "$(DESTDIR)$(MANDIR)/man3" "$(DESTDIR)$(BASHCOMPDIR)" "$(DESTDIR)$(ZSHCOMPDIR)" \
	    "$(DESTDIR)$(FISHCOMPDIR)"
	set -- $(MAN_INSTALLED); for file in $(MAN_FILES); do $(INSTALL) -m 644 "$$file" "$$1" || exit 1; shift; done

uninstall: uninstall-man
uninstall-man:
	rm -f $(MAN_INSTALLED)

.PHONY: man man-check install-man uninstall-man
