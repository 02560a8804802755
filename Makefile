# SPDX-License-Identifier: GPL-2.0-or-later
#
# make help lists the targets. Variables: V=1 shows the commands, SAN=1 builds with the address and
# undefined behaviour sanitizers into build-san/, CI=true makes warnings errors, FUZZ_RUNS,
# FUZZ_SECONDS and KERNELS bound the tests.

BUILD := $(if $(SAN),build-san,build)
PREFIX ?= /usr
KERNELS ?= 6.1 6.12 newest
FUZZ_RUNS ?= 200000
FUZZ_SECONDS ?= 5
CLANG ?= clang
BPFTOOL ?= $(or $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool),bpftool)
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
AR := $(if $(filter default,$(origin AR)),gcc-ar,$(AR))

# Use all processors unless told otherwise.
ifeq ($(MAKELEVEL)$(filter -j% --jobserver%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

Q := $(if $(V),,@)
say = @printf '  %-7s %s\n' '$(1)' '$(patsubst $(BUILD)/%,%,$(2))'

### Sources

bpf_src := lsm/policyd.bpf.c # includes the others
bpf_parts := $(sort $(filter-out $(bpf_src),$(wildcard lsm/*.bpf.c)))
lib_src := $(sort $(foreach d,base policy audit workload control,$(wildcard policyd/$(d)/*.c)))
enforce_src := $(sort $(wildcard policyd/enforce/*.c))
daemon_src := $(sort $(wildcard policyd/policyd.c policyd/daemon/*.c))
ctl_src := $(sort $(wildcard policyd/ctl/*.c))
unit_src := $(sort $(wildcard tests/unit/*.c))
fuzz_src := $(sort $(wildcard tests/fuzz/fuzz_*.c))
vm_src := $(sort $(wildcard tests/vm/bin/*.c tests/vm/bin/*/*.c))
vm_headers := $(sort $(wildcard tests/vm/bin/*.h tests/vm/bin/*/*.h))
header_src := $(sort $(wildcard lsm/*.h policyd/*/*.h policyd/*.h tests/*/*.h)) $(vm_headers)
user_src := $(lib_src) $(enforce_src) $(daemon_src) $(ctl_src) $(unit_src) $(fuzz_src)
manuals := $(sort $(wildcard man/*.[1578]))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
libpolicyd := $(BUILD)/libpolicyd.a
libenforce := $(BUILD)/libenforce.a
skeleton := $(BUILD)/include/policyd.skel.h
programs := $(if $(daemon_src),$(BUILD)/policyd) $(if $(ctl_src),$(BUILD)/policyctl)
unit_tests := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(filter tests/unit/test_%,$(unit_src)))
fuzzers := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(fuzz_src))
# The guests' programs: a file is one, and so are all files of a folder together.
vm_names := $(sort $(foreach s,$(vm_src:tests/vm/bin/%.c=%),$(firstword $(subst /, ,$(s)))))
vm_bins := $(vm_names:%=$(BUILD)/vm-bin/%)
vm_src_of = $(filter tests/vm/bin/$(notdir $(1)).c tests/vm/bin/$(notdir $(1))/%,$(vm_src))

### Flags; pkg-config is asked at the first use, after "make deps" had its turn

ask = $(eval $(1) := $$(shell $(2)))$($(1))
pkg_cflags = $(call ask,pkg_cflags,pkg-config --cflags libbpf libseccomp yaml-0.1 libcap jansson)
ctl_libs = $(call ask,ctl_libs,pkg-config --libs libseccomp yaml-0.1 libcap jansson)
daemon_libs = $(call ask,daemon_libs,pkg-config --libs libbpf)
unit_libs = $(call ask,unit_libs,pkg-config --libs cmocka)
multiarch = $(call ask,multiarch,$(CC) -dumpmachine)

warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
	$(if $(filter true,$(CI)),-Werror)
cppflags = -D_GNU_SOURCE -I. -isystem $(BUILD)/include $(pkg_cflags) $(CPPFLAGS)
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
harden := -fstack-protector-strong -fstack-clash-protection -fcf-protection
# gcc takes half as long again over what it sanitizes with -O2.
cflags = -std=gnu11 $(if $(SAN),-O1 $(sanitize),-O2 -D_FORTIFY_SOURCE=2) -g -fPIE $(harden) $(warnings) $(CFLAGS)
ldflags = -pie -Wl,-z,relro,-z,now,--as-needed $(if $(SAN),$(sanitize)) $(LDFLAGS)
bpf_flags = -target bpf -mcpu=v3 -std=gnu11 -O2 -g -D__TARGET_ARCH_x86 -I. -idirafter /usr/include/$(multiarch) \
	-Wall -Wextra -Wshadow -Wno-unused-parameter $(if $(filter true,$(CI)),-Werror)
fuzz_flags = -std=gnu11 -O1 -g -w $(sanitize)

### Build

.PHONY: all help deps clean install
all: $(programs) ## Build policyd and policyctl into build/

help: ## Show this list
	@sed -nE 's/^([a-z][a-z_.-]*):.*## (.*)/  \1\t\2/p' Makefile | expand -t 26

deps: ## Install (apt-get) what building and testing need
	$(Q)tools/deps

$(BUILD)/obj/%.o: %.c Makefile
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cppflags) $(cflags) -MMD -MP -c -o $@ $<

# bpftool leaves what debuggers want behind.
$(BUILD)/lsm/policyd.bpf.o: $(bpf_src) Makefile
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(bpf_flags) -MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $@.debug $<
	$(Q)$(BPFTOOL) gen object $@ $@.debug

$(skeleton): $(BUILD)/lsm/policyd.bpf.o
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name policyd_bpf >$@

$(call obj,$(enforce_src)): $(if $(bpf_src),$(skeleton))

$(libpolicyd): $(call obj,$(lib_src))
$(libenforce): $(call obj,$(enforce_src))
$(libpolicyd) $(libenforce):
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/policyd: $(call obj,$(daemon_src)) $(libenforce) $(libpolicyd)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ldflags) -o $@ $(filter %.o,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(daemon_libs) $(ctl_libs)

$(BUILD)/policyctl: $(call obj,$(ctl_src)) $(libpolicyd)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ldflags) -o $@ $^ $(ctl_libs)

install: all ## Install to $(DESTDIR)$(PREFIX), settings to /etc/policyd unless there are some
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/policyd
	$(if $(daemon_src),install -s $(BUILD)/policyd $(DESTDIR)$(PREFIX)/sbin/)
	$(if $(ctl_src),install -s $(BUILD)/policyctl $(DESTDIR)$(PREFIX)/bin/)
	$(foreach m,$(manuals),install -D -m 644 $(m) \
		$(DESTDIR)$(PREFIX)/share/man/man$(patsubst .%,%,$(suffix $(m)))/$(notdir $(m));)
	install -D -m 644 policyd/policyd.yaml $(DESTDIR)$(PREFIX)/share/policyd/policyd.yaml
	sed 's|/usr/bin|$(PREFIX)/bin|' policyd/oci-hook.json >$(DESTDIR)$(PREFIX)/share/policyd/oci-hook.json
	install -d -m 755 $(DESTDIR)/etc/policyd/policies
	[ -e $(DESTDIR)/etc/policyd/policyd.yaml ] || install -m 644 policyd/policyd.yaml $(DESTDIR)/etc/policyd/
	$(if $(wildcard policies),cp -R policies $(DESTDIR)$(PREFIX)/share/policyd/)
	$(if $(wildcard policyd/policyd.service),install -D -m 644 policyd/policyd.service \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/policyd.service)

clean: ## Remove what was built
	rm -rf build build-san compile_commands.json

compile_commands.json: Makefile $(user_src) $(bpf_parts) ## Write the compilation database for editors
	$(Q){ $(foreach s,$(user_src),printf '{"directory":"$(CURDIR)","file":"$(s)","command":"$(CC) %s -c $(s)"},\n' \
		'$(cppflags) $(cflags)';) \
		$(foreach s,$(bpf_parts),printf '{"directory":"$(CURDIR)","file":"$(s)","command":"$(CLANG) %s -c $(s)"},\n' \
		'$(bpf_flags)';) } | sed '1s/^/[/; $$s/,$$/]/' >$@

### Check: each step keeps its output in build/check/ and shows it when it fails

.PHONY: check unit golden fuzz san arrows lint check-vm check-runtimes test demo format
check: quick lint ## Check without root and kernels: units, golden policies, fuzzers, lint
.PHONY: quick
quick: unit golden fuzz san arrows

step = $(Q)mkdir -p $(BUILD)/check && if $(2) >$(BUILD)/check/$(1).log 2>&1; then printf '  %-7s %s\n' OK '$(1)'; \
	else cat $(BUILD)/check/$(1).log; printf '  %-7s %s\n' FAILED '$(1)'; exit 1; fi

unit: $(unit_tests:$(BUILD)/unit/%=unit-%) ## Run the unit tests (SAN=1: with sanitizers, VALGRIND=1: under valgrind)
unit-%: $(BUILD)/unit/%
	$(call step,$@$(if $(SAN),-san),$(if $(VALGRIND),valgrind -q --error-exitcode=9 --leak-check=full) $<)

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(call obj,$(filter-out tests/unit/test_%,$(unit_src))) $(libpolicyd)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^ $(ctl_libs) $(unit_libs) -lm

golden: $(programs) ## Run the golden policies
	$(if $(wildcard tests/golden/run),$(call step,golden$(if $(SAN),-san),POLICYD_BUILD=$(BUILD) tests/golden/run))

fuzz: $(fuzzers:$(BUILD)/fuzz/%=%-run) ## Run each fuzzer for FUZZ_RUNS inputs or FUZZ_SECONDS
fuzz_%-run: $(BUILD)/fuzz/fuzz_%
	$(Q)mkdir -p $(BUILD)/fuzz/new/$*
	$(call step,fuzz_$*,$< -seed=1 -runs=$(FUZZ_RUNS) -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 \
		-artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz/new/$* $(wildcard tests/fuzz/corpus/$*))

$(BUILD)/fuzz/obj/%.o: %.c Makefile
	$(call say,FUZZ,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(cppflags) $(fuzz_flags) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/libpolicyd.a: $(lib_src:%.c=$(BUILD)/fuzz/obj/%.o)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/obj/tests/fuzz/fuzz_%.o $(BUILD)/fuzz/libpolicyd.a
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(sanitize) -fsanitize=fuzzer -o $@ $^ $(ctl_libs)

san: ## Run the unit tests and golden policies with sanitizers
	$(if $(SAN),,$(Q)+$(MAKE) SAN=1 unit golden)

arrows: ## Check which folder includes which
	$(call step,arrows,tests/arrows)

lint: lint-format lint-tidy lint-cppcheck lint-shell lint-man ## Run clang-format, clang-tidy, cppcheck, shellcheck, mandoc

lint_src := $(bpf_parts) $(user_src) $(vm_src)
lint-format:
	$(if $(lint_src),$(call step,$@,! clang-format --dry-run $(lint_src) $(header_src) 2>&1 | grep formatted))

format: ## Reformat all C sources in place
	$(if $(lint_src),clang-format -i $(lint_src) $(header_src))

# States that clang's analyzer looks at in one function: a third of the usual, which takes half the time.
analyse := $(foreach a,-analyzer-config max-nodes=75000,-Xclang $(a))
lint-tidy: $(patsubst %,$(BUILD)/tidy/%.ok,$(lint_src))
$(BUILD)/tidy/%.ok: % .clang-tidy Makefile $(header_src)
	$(call say,TIDY,$<)
	$(Q)mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- $(if $(filter %.bpf.c,$<),$(bpf_flags),$(cppflags) -std=gnu11) $(analyse) 2>/dev/null
	$(Q)touch $@
$(patsubst %,$(BUILD)/tidy/%.ok,$(enforce_src)): | $(if $(bpf_src),$(skeleton))

lint-cppcheck:
	$(Q)mkdir -p $(BUILD)/cppcheck
	$(if $(lint_src),$(call step,$@,cppcheck -q -j $(shell nproc) --std=c11 --enable=warning --enable=portability \
		--inline-suppr --error-exitcode=1 --suppress=missingInclude --cppcheck-build-dir=$(BUILD)/cppcheck \
		-D_GNU_SOURCE -I. $(user_src) $(vm_src)))

lint-shell:
	$(call step,$@,grep -rlIE '^#!.*[/ ](ba|da)?sh\b' --exclude-dir=.git --exclude-dir='build*' . | xargs shellcheck)

lint-man:
	$(if $(manuals),$(call step,$@,mandoc -T lint -W warning $(manuals)))

### Booted kernels

$(foreach b,$(vm_bins),$(eval $(b): $(call vm_src_of,$(b))))
$(vm_bins): $(vm_headers) Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -static -std=gnu11 -Os -s -D_GNU_SOURCE -I. $(warnings) -o $@ $(call vm_src_of,$@)

# A policyd with one program that lets everything pass, which must fail to take over from one that does not;
# and one that can be told what is to fail.
blind := $(BUILD)/blind
faulty := $(BUILD)/faulty
$(blind)/lsm/file.bpf.c: lsm/file.bpf.c
	$(Q)mkdir -p $(@D)
	$(Q)sed '/PD_SUBJECT_OR_RETURN(label, file_lock)/i return 0;' $< >$@
	$(Q)! cmp -s $< $@
$(blind)/policyd.skel.h: $(blind)/lsm/file.bpf.c
$(blind)/policyd.skel.h: variant_flags = -I$(blind)
$(faulty)/policyd.skel.h: tests/vm/faults.h
$(faulty)/policyd.skel.h: variant_flags = -include tests/vm/faults.h
$(blind)/policyd.skel.h $(faulty)/policyd.skel.h: $(BUILD)/lsm/policyd.bpf.o
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(variant_flags) $(bpf_flags) -c -o $(@:.skel.h=.o) $(bpf_src)
	$(Q)$(BPFTOOL) gen skeleton $(@:.skel.h=.o) name policyd_bpf >$@
vm_policyds := $(BUILD)/vm-bin/policyd-blind $(BUILD)/vm-bin/policyd-faulty
$(vm_policyds): $(BUILD)/vm-bin/policyd-%: $(BUILD)/%/policyd.skel.h $(enforce_src) $(call obj,$(daemon_src)) $(libpolicyd)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -I$(<D) $(cppflags) -std=gnu11 -O1 -s $(ldflags) -o $@ $(filter %.c %.o,$^) \
		-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(daemon_libs) $(ctl_libs)

.PHONY: vm-bin
vm-bin: $(vm_bins) $(vm_policyds)

# ONCE: cases of what is user space's run on one of the kernels only
check-vm: all vm-bin ## Run tests/vm/cases in booted kernels 6.1, 6.12 and Debian's newest
	$(Q)POLICYD_BUILD=$(CURDIR)/$(BUILD) tests/vm/suite $(if $(ONCE),-o) $(KERNELS:%=-k %)

# MANY: how many containers of each runtime begin with what is denied; CASES: names of some, or beginnings of names
check-runtimes: all vm-bin ## Run the cases of container runtimes in these kernels (MANY=50: more of each)
	$(Q)POLICYD_BUILD=$(CURDIR)/$(BUILD) tests/vm/suite -r runtimes $(MANY:%=-c many=%) $(KERNELS:%=-k %) $(CASES)

# Those that race, flood, kill and churn. 30: each of them for some minutes, a day's life for ten.
SOAK ?= 30
.PHONY: soak
soak: all vm-bin ## Run the cases that try for a while, for SOAK (30) times as long as check-vm does
	$(Q)POLICYD_BUILD=$(CURDIR)/$(BUILD) tests/vm/suite $(KERNELS:%=-k %) -c soak=$(SOAK) $(or $(CASES),28 29 60 61 62 90)

.PHONY: mutate
# MUTANTS: names of some, or beginnings of names
mutate: all vm-bin ## Switch protections off, one at a time: some case of tests/vm/cases has to fail each time
	$(Q)tests/vm/mutate $(KERNEL:%=-k %) $(MUTANTS)

# Lint takes what time guests leave. What they boot from is fetched while all is compiled. All suites at once, which
# share what guests there may be: so no processor waits for the longest of one of them. What a runtime says of its
# containers does not depend on the kernel; on 6.1 only the case runs here in which they are held and killed at their
# first instruction. So with cases of real servers, and of what policyd and policyctl do by themselves: each runs on one
# of the kernels. check-runtimes and check-vm by themselves run all of them on all kernels.
test: ## Install the dependencies and run all tests: check, check-vm and check-runtimes
	$(Q)+$(MAKE) deps
	$(Q)+tests/vm/fetch debian $(KERNELS) >/dev/null 2>&1 & $(MAKE) quick vm-bin; status=$$?; wait $$!; exit $$status
	$(Q)+nice $(MAKE) lint & lint=$$!; $(MAKE) check-runtimes KERNELS=6.12 & runtimes=$$!; \
		$(MAKE) check-runtimes KERNELS=6.1 CASES=81 & older=$$!; \
		trap 'kill $$lint $$runtimes $$older 2>/dev/null; exit 130' INT TERM; $(MAKE) check-vm ONCE=1; \
		status=$$?; wait $$runtimes || status=1; wait $$older || status=1; wait $$lint && exit $$status

demo: ## Install the dependencies, build, and show nginx confined
	$(Q)+$(MAKE) deps
	$(Q)+$(MAKE) all vm-bin
	$(Q)./tools/demo

-include $(patsubst %.c,$(BUILD)/obj/%.d,$(user_src)) $(BUILD)/lsm/policyd.bpf.d \
	$(patsubst %.c,$(BUILD)/fuzz/obj/%.d,$(lib_src) $(fuzz_src))
