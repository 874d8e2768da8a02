/** Text as HTML shows it. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** A page in one file: it loads nothing and runs nothing. */
export function toPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

const style = `
:root {
  --page: #f6f7f9; --card: #ffffff; --line: #d8dde4; --text: #1b2430; --soft: #55606e; --code: #eef1f5;
  --good: #17693a; --good-back: #dff3e6; --bad: #a8201a; --bad-back: #fbe3e1;
  --warn: #7a5200; --warn-back: #fbefd0; --tell: #1d5a96; --tell-back: #dfecf9; --grey: #55606e; --grey-back: #e8ebef;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2029; --line: #323b48; --text: #e6eaf0; --soft: #a5b0be; --code: #11161d;
    --good: #7ddba0; --good-back: #143523; --bad: #ff9d95; --bad-back: #451b19;
    --warn: #f0c567; --warn-back: #3c2e0c; --tell: #8fc2f5; --tell-back: #152f49; --grey: #a5b0be; --grey-back: #28303b;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main, header > div { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
header { background: var(--card); border-bottom: 1px solid var(--line); padding: 1.75rem 0 1.5rem; }
main { padding-bottom: 4rem; }
h1 { font-size: 1.65rem; line-height: 1.25; margin: .4rem 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .9rem; }
h3 { font-size: 1.08rem; margin: 0; }
h4 { font-size: .95rem; margin: 1.1rem 0 .3rem; }
p { margin: .45rem 0; }
a { color: var(--tell); }
a:focus-visible, summary:focus-visible, pre:focus-visible, .scroll:focus-visible { outline: 3px solid var(--tell); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .4rem .8rem; }
.soft { color: var(--soft); }
.small { font-size: .88rem; }
.verdict { display: inline-block; font-weight: 700; letter-spacing: .02em; border-radius: .5rem; padding: .3rem .8rem; }
.pill { display: inline-block; border-radius: .4rem; padding: .05rem .45rem; font-size: .82rem; font-weight: 600; white-space: nowrap; text-decoration: none; }
.good { color: var(--good); background: var(--good-back); }
.bad { color: var(--bad); background: var(--bad-back); }
.warn { color: var(--warn); background: var(--warn-back); }
.tell { color: var(--tell); background: var(--tell-back); }
.grey { color: var(--grey); background: var(--grey-back); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; background: var(--card); border: 1px solid var(--line); font-size: .94rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .7rem; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 600; font-size: .85rem; }
td.wide { width: 100%; min-width: 14rem; }
tbody th { font-weight: 600; white-space: nowrap; }
.chips { display: flex; flex-wrap: wrap; gap: .25rem; }
article { background: var(--card); border: 1px solid var(--line); border-left: .35rem solid var(--line); border-radius: .5rem; padding: 1rem 1.2rem; margin: 1rem 0; }
article.fails { border-left-color: var(--bad); }
article.warns { border-left-color: var(--warn); }
.title { display: flex; flex-wrap: wrap; gap: .6rem; align-items: baseline; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .3rem 1rem; margin: .6rem 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.finding { border-top: 1px solid var(--line); margin-top: .9rem; padding-top: .5rem; }
.rule { border-left: .2rem solid var(--line); padding-left: .8rem; margin: .5rem 0; color: var(--soft); }
code, pre { font: .86rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { background: var(--code); border-radius: .25rem; padding: .05rem .3rem; overflow-wrap: anywhere; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: .4rem; padding: .7rem .8rem; margin: .4rem 0; overflow: auto; max-height: 28rem; white-space: pre-wrap; overflow-wrap: anywhere; }
pre.hex { white-space: pre; overflow-wrap: normal; }
details { margin: .5rem 0; }
summary { cursor: pointer; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 0 1rem; }
@media (max-width: 34rem) { dl { grid-template-columns: minmax(0, 1fr); } dt { margin-top: .4rem; } }
@media print { body { background: #fff; } pre { max-height: none; } }
`;
