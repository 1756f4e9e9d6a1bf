"""How the report looks: one style sheet, light and dark, from a phone to a printed page. Nothing comes in."""

STYLE = """
:root{color-scheme:light dark;
--paper:#f6f5f1;--card:#fff;--ink:#1b2320;--soft:#55605b;--line:#e2e0d8;--track:#ecebe5;
--us:#0b7268;--us-soft:#bfe0da;--held:#727d88;--warn:#8f3d0a;--warn-bg:#fdf1e4;--warn-line:#edc9a3;
--loss:#a52a3a;--loss-soft:#f0cdd1;--open:#64707a;--open-soft:#d5dade;--truth:#8a5a00;
--s1:#e6f3f0;--s2:#cfe9e4;--s3:#b3ddd5;--s4:#93cfc5;--s5:#71bfb3;--s6:#52afa2}
@media (prefers-color-scheme:dark){:root{
--paper:#111513;--card:#191f1c;--ink:#e9eeeb;--soft:#a4b0aa;--line:#2b3430;--track:#262e2a;
--us:#4cc9b6;--us-soft:#1f5a52;--held:#94a1ad;--warn:#f3b67c;--warn-bg:#2a1f14;--warn-line:#5b4021;
--loss:#f08a97;--loss-soft:#5c2a32;--open:#a0acb6;--open-soft:#3b454d;--truth:#f0c35a;
--s1:#1b2926;--s2:#1c342f;--s3:#1d403a;--s4:#1e4d46;--s5:#1f5a52;--s6:#20685f}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.skip{position:absolute;left:-999px;top:0;background:var(--card);color:var(--ink);padding:.5rem 1rem}
.skip:focus{left:0}
.page{max-width:70rem;margin:0 auto;padding:2.5rem 1.5rem 4rem}
html{scroll-behavior:smooth;scroll-padding-top:4rem}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
.bar{display:flex;justify-content:space-between;align-items:flex-start;gap:1rem}
.contents{position:sticky;top:0;z-index:1;display:flex;gap:.35rem;overflow-x:auto;background:var(--paper);padding:.6rem 0;margin-top:1.2rem;
border-bottom:1px solid var(--line);scrollbar-width:none}
.contents a{white-space:nowrap;text-decoration:none;color:var(--soft);font-size:.92rem;padding:.3rem .75rem;border-radius:999px;border:1px solid var(--line);
background:var(--card)}
.contents a:hover{color:var(--ink);border-color:var(--soft)}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem;margin-top:1rem;align-items:start}
.pair>*{min-width:0}.pair.inner{gap:1.25rem 2.25rem;margin-top:1.4rem}
section>.card+.pair,section>.card+.card,section>.pair+.card{margin-top:1rem}
.card>h3{margin-bottom:.35rem}
.card>.mid,.three .mid{font-size:1.7rem;font-weight:650;letter-spacing:-.015em;margin:.1rem 0;line-height:1.2}
.mid.gain{color:var(--us)}.mid.loss{color:var(--loss)}
.across{grid-column:1/-1}
.line{margin-bottom:.6rem}
.line>span:nth-child(2){text-align:right;white-space:nowrap}
.plot{overflow:visible;margin-top:.8rem}
.ends{display:flex;justify-content:space-between;color:var(--soft);font-size:.8rem;margin-top:.25rem}
.over-line{paint-order:stroke;stroke:var(--card);stroke-width:3px;stroke-linejoin:round}
.stacked-cards>*+*{margin-top:1rem}
.segments .row{grid-template-columns:13rem 1fr 12rem}
.rule{stroke:var(--line);stroke-width:1}
.area{fill:var(--us-soft);opacity:.75}.area.held{fill:var(--open-soft)}
.line-us,.line-held{fill:none;stroke:var(--us);stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.line-held{stroke:var(--held)}
.dot.warn{fill:var(--warn)}
.heat{border-collapse:separate;border-spacing:3px;table-layout:auto}
.heat th{border:0;padding:.25rem .4rem;font-size:.82rem;color:var(--soft);font-weight:500;white-space:nowrap;min-width:0}
.heat thead th{text-align:center}.heat thead th:first-child{text-align:left}
.heat td{border:0;padding:.4rem .3rem;text-align:center;border-radius:6px;min-width:2.6rem;font-size:.85rem;line-height:1.2}
.heat td b{display:block;font-size:.95rem}.inside{font-size:.72rem;display:block;overflow-wrap:normal}
.shade-0{background:var(--track)}.shade-1{background:var(--s1)}.shade-2{background:var(--s2)}.shade-3{background:var(--s3)}
.shade-4{background:var(--s4)}.shade-5{background:var(--s5)}.shade-6{background:var(--s6)}
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
.inner{fill:var(--open)}.inner.gain{fill:var(--us)}.inner.loss{fill:var(--loss)}
.band{fill:var(--open-soft)}.band.gain{fill:var(--us-soft)}.band.loss{fill:var(--loss-soft)}
.end,.whisker{stroke-width:2;stroke:var(--open)}.end.gain{stroke:var(--us)}.end.loss{stroke:var(--loss)}
.whisker{stroke:var(--ink);stroke-width:1.5}
.dot{fill:var(--open);stroke:var(--card);stroke-width:2}.dot.gain{fill:var(--us)}.dot.loss{fill:var(--loss)}
.truth{fill:var(--card);stroke:var(--truth);stroke-width:2.5}
.truth-word{color:var(--truth)}
.tick{fill:var(--soft);font-size:12px}
.track{fill:var(--track)}.fill.us{fill:var(--us)}.fill.held{fill:var(--held)}.fill.warn{fill:var(--warn)}.fill.pale{fill:var(--open-soft)}.fill.loss{fill:var(--loss)}
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
@media (max-width:60rem){.three{grid-template-columns:1fr 1fr}.three>:last-child{grid-column:1/-1}.pair{grid-template-columns:1fr}}
@media (max-width:44rem){.page{padding:1.5rem 1rem 3rem}.card{padding:1.15rem}.hero{padding:1.35rem 1.15rem}.trio,.three{grid-template-columns:1fr}
.inside{display:none}.heat{border-spacing:2px}.heat td{min-width:2.2rem;padding:.35rem .1rem}
.row{grid-template-columns:1fr auto;gap:.15rem 1rem;padding:.6rem 0;align-items:start}.segments .row{grid-template-columns:1fr auto}.row svg{grid-column:1/-1;order:3}.row.scale .name,.row.scale .figure{display:none}
.stacked thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.stacked,.stacked caption,.stacked tbody,.stacked tr,.stacked td,.stacked th{display:block}
.stacked tr{padding:.6rem 0;border-bottom:1px solid var(--line)}.stacked tr:last-child{border-bottom:0}
.stacked td,.stacked th{border:0;min-width:0;padding:.12rem 0;text-align:left;white-space:normal}
.stacked td[data-head]{display:flex;justify-content:space-between;gap:1rem;text-align:right}
.stacked td[data-head]::before{content:attr(data-head);color:var(--soft);text-align:left;flex:none;max-width:55%}}
@media print{body{background:#fff}.card{break-inside:avoid}.skip,.contents{display:none}}
""".strip()
