#!/usr/bin/env bash
# Prints the path of a Chromium for the tests of the pages; unpacks Debian's into .cache/browser where none is installed.
# Needs no root: apt works on lists of its own, and dpkg-deb unpacks. Anything that fails ends it with a message.
set -euo pipefail

PACKAGES=(chromium-headless-shell fonts-dejavu-core)
cache="$(cd "$(dirname "$0")/../.." && pwd)/.cache/browser"
program="$cache/browser"

fail() {
  echo "tests/pages/install_browser.sh: $1" >&2
  echo "Install a Chromium (Debian, as root: apt-get install chromium-headless-shell), or name one: DAYDREAMING_BROWSER=/path/to/chromium" >&2
  exit 1
}

if [ -n "${DAYDREAMING_BROWSER:-}" ]; then
  [ -x "$DAYDREAMING_BROWSER" ] || fail "DAYDREAMING_BROWSER names $DAYDREAMING_BROWSER, which is no program."
  echo "$DAYDREAMING_BROWSER"
  exit
fi
if [ "${1:-}" != "--unpack" ]; then
  for name in chromium-headless-shell chromium google-chrome; do
    if command -v "$name"; then exit; fi
  done
fi
if [ -x "$program" ]; then
  echo "$program"
  exit
fi

command -v apt-get > /dev/null && command -v dpkg-deb > /dev/null || fail "there is neither a Chromium nor apt-get to get one."
work="$cache.new.$$"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
apt=(apt-get -q -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work" -o "Dir::Cache::archives=$work/archives"
  -o Debug::NoLocking=true -o APT::Sandbox::User=)
"${apt[@]}" update > "$work/log" 2>&1 || fail "the lists of Debian's packages cannot be had: $(tail -3 "$work/log")"
# What the browser needs and this machine does not have.
cache_of=(apt-cache -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work")
all=$("${cache_of[@]}" depends --recurse --important --no-recommends "${PACKAGES[@]}" 2>> "$work/log" | grep -E '^[a-z0-9]' | sort -u) \
  || fail "Debian's packages do not have what is needed: $(tail -3 "$work/log")"
# shellcheck disable=SC2086  # names, one word each
missing=$("${cache_of[@]}" policy $all | awk '/^[a-z0-9]/ {name = $1} /^  Installed: \(none\)/ {getline; if ($2 != "(none)") print name}' | tr -d : | grep -vx libc6 || true)
# shellcheck disable=SC2086
(cd "$work/archives" && "${apt[@]}" download $(printf '%s\n' $missing "${PACKAGES[@]}" chromium-common | sort -u)) >> "$work/log" 2>&1 \
  || fail "a package cannot be downloaded: $(tail -3 "$work/log")"
for package in "$work"/archives/*.deb; do
  dpkg-deb -x "$package" "$work/root"
done
libraries=$(find "$work/root" -name '*.so*' -printf '%h\n' | sort -u | sed "s#^$work#\$here#" | paste -sd:)
cat > "$work/browser" << END
#!/bin/sh
here=\$(dirname "\$(readlink -f "\$0")")
export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
export FONTCONFIG_PATH="\${FONTCONFIG_PATH:-\$here/root/etc/fonts}"
export XDG_DATA_HOME="\$here/root/usr/share"
exec "\$here/root/usr/lib/chromium/chromium-headless-shell" "\$@"
END
chmod +x "$work/browser"
"$work/browser" --version > /dev/null 2>> "$work/log" || fail "the unpacked browser does not start: $(tail -3 "$work/log")"
rm -rf "$work/archives" "$work/lists" "$work"/*.bin "$cache"
mv "$work" "$cache"
echo "$program"
