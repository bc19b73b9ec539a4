# The release: included by the Makefile.
#
#   make dist         build/dist: b2s6-VERSION.tar.gz, its .sha256 and its list of licences (SPDX), the same bytes every time
#   make dist-check   that this is so, and that what is unpacked builds, checks and makes the same again
#
# Wants python3, and git unless the tree is an unpacked tarball.

dist: $(BUILD)/amalgamation/b2s6.c
	$(SAY) TAR $(BUILD)/dist/b2s6-$(VERSION).tar.gz
	$(Q)$(PYTHON) pkgconfig/make_dist.py . $(BUILD)/amalgamation $(VERSION) $(BUILD)/dist

dist-check:
	@CC='$(CC)' PYTHON='$(PYTHON)' tests/check_dist.sh

.PHONY: dist dist-check
