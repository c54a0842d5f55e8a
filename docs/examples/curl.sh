#!/bin/sh
# Usage: URL=http://127.0.0.1:8000 KEY=smb_... sh curl.sh ada-1.jpg today.jpg
set -eu
url="${URL:-http://127.0.0.1:8000}"
# From a file, not as an argument: arguments are seen by everybody on the machine.
header="$(mktemp)"
trap 'rm -f "$header"' EXIT
printf 'Authorization: Bearer %s\n' "${KEY:-}" > "$header"

curl --silent --show-error --fail-with-body --retry 3 -H "@$header" \
  -F identity=ada -F "images=@$1" "$url/v1/enroll" > /dev/null
curl --silent --show-error --fail-with-body -H "@$header" \
  -F identity=ada -F "image=@$2" "$url/v1/verify"
