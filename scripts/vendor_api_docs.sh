#!/usr/bin/env bash
# Fetches the two programs that draw the API's documentation (/docs and /redoc) from npm, and puts what
# is needed of them into the package, compressed. Run it to move to other versions; commit the result.
set -euo pipefail
swagger_ui=5.35.0
redoc=2.5.4

target=$(cd "$(dirname "$0")/.." && pwd)/src/vitrina/entrypoints/http/static/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fetch() { # NAME VERSION
    npm pack --silent "$1@$2" >/dev/null
    mkdir "$1"
    tar xzf "$1-$2.tgz" --strip-components=1 -C "$1"
}

put() { # FROM TO
    sed -E 's|^/[/*]# sourceMappingURL=.*$||' "$1" | gzip -9 --no-name >"$target/$2.gz"
}

fetch swagger-ui-dist "$swagger_ui"
fetch redoc "$redoc"
# The one picture that Redoc would fetch from another host becomes an empty one.
sed -i 's|https://cdn.redoc.ly/redoc/logo-mini.svg|data:image/gif;base64,R0lGODlhAQABAAAAACw=|' \
    redoc/bundles/redoc.standalone.js

mkdir -p "$target"
put swagger-ui-dist/swagger-ui-bundle.js swagger-ui-bundle.js
put swagger-ui-dist/swagger-ui.css swagger-ui.css
put redoc/bundles/redoc.standalone.js redoc.standalone.js
cp swagger-ui-dist/LICENSE "$target/swagger-ui.LICENSE"
cp swagger-ui-dist/NOTICE "$target/swagger-ui.NOTICE"
cp swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt "$target/swagger-ui-bundle.LICENSE.txt"
cp redoc/LICENSE "$target/redoc.LICENSE"
cp redoc/bundles/redoc.standalone.js.LICENSE.txt "$target/redoc.standalone.LICENSE.txt"
cat >"$target/README.md" <<TEXT
# Vendored programs

Made by \`scripts/vendor_api_docs.sh\`; not edited by hand. The service serves them itself, so that its
documentation works without the internet.

- swagger-ui-dist $swagger_ui, Apache-2.0: \`swagger-ui-bundle.js.gz\`, \`swagger-ui.css.gz\`
- redoc $redoc, MIT: \`redoc.standalone.js.gz\`, with the address of its logo replaced by an empty picture
TEXT
