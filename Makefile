# SPDX-License-Identifier: GPL-2.0-only
#
# For people and packages; kbuild itself reads Kbuild, not this file.

MODULES := core/snd-pcmbuf.ko driver/snd-virtual.ko

# Which kernel to build for: KDIR is its build directory, KVER its release.
# DKMS says KERNELRELEASE. Without any of them: the running kernel, else the
# newest one whose headers are installed, else one that was fetched for guests.
KVER ?= $(KERNELRELEASE)
ifeq ($(KDIR),)
newest = $(lastword $(shell ls -dv $(1) 2>/dev/null))
KDIR := $(firstword $(if $(KVER),\
	$(wildcard /lib/modules/$(KVER)/build/. .cache/kernels/$(KVER)/build/.),\
	$(wildcard /lib/modules/$(shell uname -r)/build/.)\
	$(call newest,/lib/modules/*/build/.)\
	$(call newest,.cache/kernels/*/build/.)))
KDIR := $(abspath $(KDIR))
else
KDIR_GIVEN := KDIR="$(KDIR)"
endif

KBUILD = $(MAKE) -C $(KDIR) M=$(CURDIR)
RELEASE = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h)
MODULE_DIR = $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)
DEPMOD = $(or $(shell command -v depmod),/sbin/depmod)

# What the scripts of qemu/ take from the command line.
GUEST = $(if $(KVER),KVER="$(KVER)") $(KDIR_GIVEN) \
	$(if $(KERNEL),KERNEL="$(KERNEL)")

.PHONY: all help install uninstall dkms dkms-remove deb clean distclean run check soak \
	check-kernels check-packages check-debug check-pipewire bench style headers

all: headers
	+$(KBUILD) modules

help:
	@echo 'Everything at once, in a guest (installs by apt what is missing):'
	@echo '  make run        play a recording through the card and compare what it'
	@echo '                  captures, frame by frame; WAV=file plays your own'
	@echo '  make check      run every test; TESTS="name ..." runs some'
	@echo '  make check-kernels  the same on many kernels, from 5.10 to 7.2 and on other'
	@echo '                  architectures; KERNELS="6.1 7.2-rt arm64:6.12" on some'
	@echo '  make check-debug  every test on kernels that watch memory, locks and races,'
	@echo '                  and every allocation failed once; VERSIONS="6.12 7.2",'
	@echo '                  LANES="self clean faults race" choose'
	@echo '  make check-packages  build the Debian packages; install, upgrade, use and'
	@echo '                  purge them in a guest'
	@echo '  make check-pipewire  have PipeWire find the pitch control and use it'
	@echo '  make soak       fuzz, kill, load and stream for long: SOAK=minutes; OPS=,'
	@echo '                  RACES=, KILLS=, LOADS=, XRUNS=, USERS=, STALE=, HOURS=,'
	@echo '                  STALLS=, PRESSURE= of parts'
	@echo '  make bench      measure this driver, snd-aloop and snd-dummy side by side;'
	@echo '                  BENCH="row ..." measures some'
	@echo ''
	@echo 'For this machine:'
	@echo '  make            build the modules; needs neither root nor network'
	@echo '  make install    install them and run depmod; as root, or with'
	@echo '                  INSTALL_MOD_PATH=dir; SIGN_KEY=, SIGN_CERT= sign them'
	@echo '  make uninstall  take them away again'
	@echo '  make dkms       have DKMS build and install them for every kernel here;'
	@echo '                  make dkms-remove takes them away again'
	@echo '  make deb        Debian packages of them, in out/deb/'
	@echo '  make clean      remove what make built'
	@echo '  make distclean  remove what was fetched and built for guests too'
	@echo ''
	@echo 'For contributors:'
	@echo '  make style      checkpatch, sparse, gcc W=1, clang, kernel-doc, shellcheck'
	@echo ''
	@echo 'Which kernel:'
	@echo '  KVER=release    that one, installed or as packaged'
	@echo '  KDIR=dir        its build directory'
	@echo '  KERNEL=file     the image that the guest boots'

# Without headers there is one thing to say, and it is said by make all, not
# by every target.
headers:
ifeq ($(KDIR),)
	@echo 'error: no headers of kernel $(or $(KVER),$(shell uname -r)); get them' \
		'by: apt-get install linux-headers-$(or $(KVER),$(shell dpkg --print-architecture 2>/dev/null || echo amd64))' \
		'(or name a build directory: make KDIR=dir)' >&2; exit 1
else
	@test -e "$(KDIR)/Makefile" || { \
		echo 'error: KDIR=$(KDIR): not the build directory of a kernel' >&2; exit 1; }
	@test ! -e "$(KDIR)/include/config/auto.conf" || \
		grep -q '^CONFIG_SND_PCM=' "$(KDIR)/include/config/auto.conf" || { \
		echo 'error: kernel $(RELEASE) has no sound (CONFIG_SND_PCM is not set),' \
			'so that no sound card can work on it; Debian has it in all' \
			'kernels but the -cloud ones' >&2; exit 1; }
endif

# kbuild would sign with the key of those who built the kernel.
install: headers
	@SIGN_KEY="$(SIGN_KEY)" SIGN_CERT="$(SIGN_CERT)" \
		packaging/install.sh sign "$(KDIR)" $(MODULES)
	+$(KBUILD) CONFIG_MODULE_SIG_ALL= modules_install
	$(DEPMOD) $(if $(INSTALL_MOD_PATH),-b "$(INSTALL_MOD_PATH)") $(RELEASE)
	@packaging/install.sh files "$(INSTALL_MOD_PATH)"

# What DKMS has installed is its own.
uninstall: headers
	find "$(MODULE_DIR)" -path '*/updates/dkms' -prune -o \
		$(foreach m,$(notdir $(MODULES)),-name '$(m)*' -print -o) \
		-false | xargs -r rm -f
	$(DEPMOD) $(if $(INSTALL_MOD_PATH),-b "$(INSTALL_MOD_PATH)") $(RELEASE)
	@packaging/install.sh remove "$(INSTALL_MOD_PATH)"

dkms:
	@packaging/dkms.sh

dkms-remove:
	@packaging/dkms.sh remove

deb:
	@packaging/deb.sh

# Folder by folder: from the top, kbuild would clean .cache too.
clean:
ifneq ($(KDIR),)
	+for folder in core driver; do \
		$(MAKE) -C $(KDIR) M=$(CURDIR)/$$folder clean || exit; \
	done
endif
	rm -f Module.symvers modules.order .modules.order.cmd .Module.symvers.cmd
	$(MAKE) -C userspace-tests clean

distclean: clean
	rm -rf .cache out

run:
	@$(GUEST) $(if $(WAV),WAV="$(WAV)") qemu/run.sh

check-packages:
	@$(GUEST) packaging/check.sh

check-pipewire:
	@qemu/pipewire.sh

check:
	@$(GUEST) $(if $(TESTS),TESTS="$(TESTS)") \
		$(if $(SHARE),SHARE="$(SHARE)") qemu/check.sh

check-kernels:
	@$(if $(KERNELS),KERNELS="$(KERNELS)") $(if $(TESTS),TESTS="$(TESTS)") \
		$(if $(MIRROR),MIRROR="$(MIRROR)") $(if $(JOBS),JOBS="$(JOBS)") \
		$(if $(SHARE),SHARE="$(SHARE)") qemu/kernels.sh

check-debug:
	@$(if $(VERSIONS),VERSIONS="$(VERSIONS)") $(if $(LANES),LANES="$(LANES)") \
		$(if $(MIRROR),MIRROR="$(MIRROR)") $(if $(JOBS),JOBS="$(JOBS)") \
		$(if $(TESTS),TESTS="$(TESTS)") qemu/debug.sh

soak:
	@$(GUEST) qemu/soak.sh

bench:
	@$(GUEST) $(if $(BENCH),BENCH="$(BENCH)") \
		$(if $(PARAMETERS),PARAMETERS="$(PARAMETERS)") qemu/bench.sh

style:
	@$(GUEST) .ci/style
