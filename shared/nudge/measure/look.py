"""How the report looks: one style sheet, light and dark, from a phone to a printed page. Nothing comes in."""

STYLE = """
:root{color-scheme:light dark;
--paper:#f6f5f1;--card:#fff;--ink:#1b2320;--soft:#55605b;--line:#e2e0d8;--track:#ecebe5;
--us:#0b7268;--us-soft:#bfe0da;--held:#727d88;--warn:#8f3d0a;--warn-bg:#fdf1e4;--warn-line:#edc9a3;
--loss:#a52a3a;--loss-soft:#f0cdd1;--open:#64707a;--open-soft:#d5dade;--truth:#8a5a00}
@media (prefers-color-scheme:dark){:root{
--paper:#111513;--card:#191f1c;--ink:#e9eeeb;--soft:#a4b0aa;--line:#2b3430;--track:#262e2a;
--us:#4cc9b6;--us-soft:#1f5a52;--held:#94a1ad;--warn:#f3b67c;--warn-bg:#2a1f14;--warn-line:#5b4021;
--loss:#f08a97;--loss-soft:#5c2a32;--open:#a0acb6;--open-soft:#3b454d;--truth:#f0c35a}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.skip{position:absolute;left:-999px;top:0;background:var(--card);color:var(--ink);padding:.5rem 1rem}
.skip:focus{left:0}
.page{max-width:70rem;margin:0 auto;padding:2.5rem 1.5rem 4rem}
header .over{margin:0;color:var(--soft);font-size:.9rem}
h1,h2,h3,h4{line-height:1.2;margin:0;font-weight:650;letter-spacing:-.01em}
h1{font-size:1.15rem}
h2{font-size:1.45rem;margin:3.25rem 0 .35rem}
h2+.card{margin-top:.9rem}
h3{font-size:1.12rem}
h4,h2.quiet{font-size:.82rem;color:var(--soft);font-weight:600;letter-spacing:0;margin:0 0 .6rem}
p{margin:.35rem 0}
.lead{color:var(--soft);max-width:46rem;margin-bottom:1.1rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.5rem}
.hero{margin-top:1.4rem;padding:2rem 2rem 1.6rem}
.hero .label{color:var(--soft);margin:0}
.big{font-size:clamp(2.6rem,9vw,4.4rem);line-height:1.05;font-weight:680;letter-spacing:-.03em;margin:.15rem 0 .5rem}
.big.gain{color:var(--us)}.big.loss{color:var(--loss)}
.hero .say{font-size:1.08rem;margin-bottom:1.2rem}
.trio{display:grid;grid-template-columns:repeat(3,1fr);gap:1rem;margin-top:1rem}
.trio .card{padding:1.2rem 1.4rem}
.trio .mid{font-size:1.7rem;font-weight:650;letter-spacing:-.015em;margin:.1rem 0;line-height:1.2}
.small{font-size:.88rem;color:var(--soft)}
.notice{background:var(--warn-bg);border:1px solid var(--warn-line);color:var(--ink);border-radius:12px;padding:1rem 1.25rem;margin-top:1rem}
.notice strong{color:var(--warn)}
.calm{color:var(--soft);margin-top:1rem;font-size:.95rem}
.forest{margin:0 0 1rem;padding:1.1rem 1.5rem .8rem}
.row{display:grid;grid-template-columns:10rem 1fr 14rem;gap:1.25rem;align-items:center;padding:.3rem 0}
.row+.row{border-top:1px solid var(--line)}
.row .name{font-weight:600}
.row .figure{text-align:right;line-height:1.3}
.row .figure b{font-weight:650;display:block}
.activity{margin-top:1rem}
.activity .top{display:flex;flex-wrap:wrap;gap:.35rem .9rem;align-items:baseline;justify-content:space-between}
.tone{font-size:.9rem;font-weight:600;color:var(--open)}
.tone.gain{color:var(--us)}.tone.loss{color:var(--loss)}
.chip{font-size:.85rem;color:var(--soft);font-weight:400;margin-left:.5rem}
.three{display:grid;grid-template-columns:1fr 1fr 1fr;gap:1.25rem 2.25rem;margin-top:1.2rem}
.line{display:grid;grid-template-columns:1fr auto;gap:0 .75rem;font-size:.92rem;margin-bottom:.5rem}
.line svg{grid-column:1/-1}
dl{margin:0;font-size:.92rem}
dl div{display:flex;justify-content:space-between;gap:1rem;padding:.28rem 0;border-bottom:1px solid var(--line)}
dl div:last-child{border-bottom:0}
dt{color:var(--soft)}dd{margin:0;text-align:right}
svg{display:block}
.calibration{background:var(--paper);border-radius:8px;overflow:visible}
.zero{stroke:var(--soft);stroke-width:1;stroke-dasharray:3 3}
.band{fill:var(--open-soft)}.band.gain{fill:var(--us-soft)}.band.loss{fill:var(--loss-soft)}
.end,.whisker{stroke-width:2;stroke:var(--open)}.end.gain{stroke:var(--us)}.end.loss{stroke:var(--loss)}
.whisker{stroke:var(--ink);stroke-width:1.5}
.dot{fill:var(--open);stroke:var(--card);stroke-width:2}.dot.gain{fill:var(--us)}.dot.loss{fill:var(--loss)}
.truth{fill:var(--card);stroke:var(--truth);stroke-width:2.5}
.truth-word{color:var(--truth)}
.tick{fill:var(--soft);font-size:12px}
.track{fill:var(--track)}.fill.us{fill:var(--us)}.fill.held{fill:var(--held)}.fill.warn{fill:var(--warn)}.fill.pale{fill:var(--open-soft)}
table{border-collapse:collapse;width:100%;font-size:.92rem}
caption{text-align:left;color:var(--soft);padding-bottom:.5rem}
th,td{text-align:left;padding:.5rem .75rem .5rem 0;border-bottom:1px solid var(--line);vertical-align:top;font-weight:400}
thead th{color:var(--soft);font-size:.85rem;font-weight:600;border-bottom-color:var(--soft)}
tbody th{font-weight:600}
tr:last-child>*{border-bottom:0}
thead th{overflow-wrap:normal}tbody th{min-width:6.5rem}td{min-width:5rem}
.num{text-align:right;white-space:nowrap;padding-right:1.5rem}
td.num:last-child,th.num:last-child{padding-right:0}
.wide{overflow-x:auto}
.wide:focus-visible,summary:focus-visible,a:focus-visible{outline:3px solid var(--us);outline-offset:3px;border-radius:4px}
details{margin-top:.9rem;font-size:.92rem}
summary{cursor:pointer;color:var(--soft)}
details[open] summary{margin-bottom:.6rem}
a{color:inherit}
footer{margin-top:3.5rem;color:var(--soft);font-size:.85rem;border-top:1px solid var(--line);padding-top:1rem}
code{font-family:ui-monospace,SFMono-Regular,Menlo,monospace;font-size:.92em}
@media (max-width:60rem){.three{grid-template-columns:1fr 1fr}.three>:last-child{grid-column:1/-1}}
@media (max-width:44rem){.page{padding:1.5rem 1rem 3rem}.card{padding:1.15rem}.hero{padding:1.35rem 1.15rem}.trio,.three{grid-template-columns:1fr}
.row{grid-template-columns:1fr auto;gap:.15rem 1rem;padding:.6rem 0;align-items:start}.row svg{grid-column:1/-1;order:3}.row.scale .name,.row.scale .figure{display:none}
.stacked thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.stacked,.stacked caption,.stacked tbody,.stacked tr,.stacked td,.stacked th{display:block}
.stacked tr{padding:.6rem 0;border-bottom:1px solid var(--line)}.stacked tr:last-child{border-bottom:0}
.stacked td,.stacked th{border:0;min-width:0;padding:.12rem 0;text-align:left;white-space:normal}
.stacked td[data-head]{display:flex;justify-content:space-between;gap:1rem;text-align:right}
.stacked td[data-head]::before{content:attr(data-head);color:var(--soft);text-align:left;flex:none;max-width:55%}}
@media print{body{background:#fff}.card{break-inside:avoid}.skip{display:none}}
""".strip()
