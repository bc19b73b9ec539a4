# Packages of distributions: included by the Makefile.
#
#   make deb          build/deb: Debian packages of what "make dist" makes; wants debhelper and dpkg-dev
#   make deb-check    the same, looked at by lintian, installed into a folder and used
#
# The version and the day come from b2s6.h and CHANGELOG.md: nothing here repeats them.

PACKAGING = examples/packaging
DEB = $(BUILD)/deb
DEB_TREE = $(DEB)/b2s6-$(VERSION)
SOVERSION = $(SONAME:libb2s6.so.%=%)

# Debian's revision 1 of this version, dated by the tree's last change that users notice.
deb-tree: dist
	@rm -rf $(DEB)
	@mkdir -p $(DEB)
	$(Q)cp $(BUILD)/dist/b2s6-$(VERSION).tar.gz $(DEB)/b2s6_$(VERSION).orig.tar.gz
	$(Q)tar -xzf $(DEB)/b2s6_$(VERSION).orig.tar.gz -C $(DEB)
	$(Q)cp -R $(PACKAGING)/debian $(DEB_TREE)/debian
	$(Q)for f in install lintian-overrides; do mv $(DEB_TREE)/debian/libb2s6.$$f $(DEB_TREE)/debian/libb2s6-$(SOVERSION).$$f; done
	$(Q)sed -i 's/@SOVERSION@/$(SOVERSION)/' $(DEB_TREE)/debian/control $(DEB_TREE)/debian/*.lintian-overrides
	$(Q)printf 'b2s6 (%s-1) unstable; urgency=medium\n\n  * See CHANGELOG.md of the source package.\n\n -- %s  %s\n' $(VERSION) \
	    "$$(sed -n 's/^Maintainer: //p' $(PACKAGING)/debian/control)" "$$(date -u -R -d $(CHANGE_DATE))" >$(DEB_TREE)/debian/changelog

deb: deb-tree
	$(SAY) DEB $(DEB)
	$(Q)cd $(DEB_TREE) && dpkg-buildpackage -us -uc >../log 2>&1 || { tail -n 40 ../log; exit 1; }

deb-check: deb
	@BUILD='$(BUILD)' CC='$(CC)' tests/check_deb.sh

.PHONY: deb-tree deb deb-check
