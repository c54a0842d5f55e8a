"""The look of the report: one column, light and dark, fit for print."""

STYLE = """
:root {
  --paper: #fbfaf8; --card: #ffffff; --ink: #1d1d1f; --faint: #63636a; --line: #e2e0db;
  --good: #1f7a68; --fair: #a06a00; --poor: #b5402a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #161618; --card: #1f1f22; --ink: #ececee; --faint: #a3a3ab; --line: #35353a;
    --good: #4fc3ac; --fair: #e0ab4a; --poor: #f0806a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
header { margin-bottom: 1.75rem; }
.kind { margin: 0; color: var(--faint); font-size: .85rem; letter-spacing: .04em; }
h1 { margin: .1rem 0 0; font-size: 2.4rem; line-height: 1.15; letter-spacing: -.02em; }
h1 small { font-size: 1.1rem; font-weight: 400; color: var(--faint); letter-spacing: 0; }
.on { margin: .3rem 0 0; color: var(--faint); }
h2 { margin: 0 0 .5rem; font-size: 1.2rem; line-height: 1.3; }
section { margin: 0 0 2.25rem; }
section section { margin: 1.75rem 0 0; }
section section h2 { font-size: 1rem; }
.note { margin: 0 0 .8rem; color: var(--faint); max-width: 46rem; font-size: .92rem; }
.line { margin: .35rem 0; max-width: 52rem; }
.verdict, .cautions {
  background: var(--card); border: 1px solid var(--line); border-left: 5px solid var(--tone);
  border-radius: 10px; padding: 1.1rem 1.3rem;
}
.verdict.good { --tone: var(--good); }
.verdict.fair { --tone: var(--fair); }
.verdict.poor { --tone: var(--poor); }
.verdict h2 { font-size: 1.5rem; color: var(--tone); }
.cautions { --tone: var(--fair); }
.cautions h2 { font-size: 1.05rem; }
.cautions li { font-size: .93rem; }
ul { margin: 0; padding-left: 1.15rem; }
li { margin: .3rem 0; max-width: 56rem; }
.figures { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); }
figure { margin: 0; }
.figures figure {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .8rem;
}
.figures svg { display: block; width: 100%; height: auto; }
figcaption { color: var(--faint); font-size: .85rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .93rem; }
th, td { padding: .4rem .9rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th { color: var(--faint); font-weight: 500; border-bottom: 1px solid var(--line); }
td { border-bottom: 1px solid var(--line); }
.pairs { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); }
.pair {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .7rem;
}
.pair div { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; }
.pair img { width: 100%; border-radius: 5px; display: block; }
.pair figcaption { margin-top: .5rem; line-height: 1.4; }
.pair b { font-variant-numeric: tabular-nums; }
.pair.wrong b { color: var(--poor); }
.pair.right b { color: var(--good); }
.pair span { display: block; overflow-wrap: anywhere; font-size: .76rem; line-height: 1.3; }
dl { display: grid; grid-template-columns: minmax(9rem, 15rem) 1fr; gap: .35rem 1.2rem; margin: 0; }
dt { color: var(--faint); overflow-wrap: anywhere; }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  .figures { grid-template-columns: 1fr; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .6rem; }
  h1 { font-size: 1.9rem; }
}
@media print {
  body { background: #fff; }
  .pair, .figures figure, .verdict, .cautions { break-inside: avoid; }
}
"""
