/**
 * The look of a report: light or dark as the reader's system is, from 360 px to wide. Text only.
 * Three tones for what moved, turned and stands at an edge, told apart by every eye (Okabe and Ito); never a tone without its word.
 */
export const STYLE = `
:root{color-scheme:light dark;--paper:#fbfaf8;--card:#fff;--ink:#1b1d21;--soft:#666b74;--line:#e3e1dc;--shade:#1b1d2109;--accent:#0b6e62;--wash:#0b6e6240;--move:#0b6e62;--turn:#a8480a;--edge:#4a55a8;--warm:#c2611a;--cool:#4a72b8}
@media(prefers-color-scheme:dark){:root{--paper:#121417;--card:#1a1d21;--ink:#eceae6;--soft:#9ba1ab;--line:#2c3036;--shade:#ffffff0b;--accent:#4fc7b4;--wash:#4fc7b44d;--move:#4fc7b4;--turn:#f0a05f;--edge:#a3aef5;--warm:#ee9a57;--cool:#85aef0}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:76rem;margin:0 auto;padding:clamp(1.2rem,4vw,3.5rem) clamp(1rem,4vw,3rem) 3rem}
h1{font-size:clamp(1.55rem,4.5vw,2.6rem);line-height:1.12;letter-spacing:-.022em;font-weight:640;margin:0;overflow-wrap:anywhere;text-wrap:balance}
h2{font-size:1.16rem;letter-spacing:-.01em;font-weight:640;margin:0 0 .7rem}
h3{font-size:.86rem;font-weight:600;margin:0 0 .4rem}h3 small{font-weight:400;color:var(--soft);margin-left:.35em}
main>section,.pair{margin-top:clamp(2.2rem,5vw,3.4rem)}
p{margin:0 0 .8rem}.soft,small,figcaption,.facts,.note{color:var(--soft)}small{font-size:.82em}
.kind{color:var(--accent);font-weight:620;font-size:.8rem;letter-spacing:.09em;text-transform:uppercase;margin:0 0 .5rem}
.facts{display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;margin:.7rem 0 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.6rem,1fr));gap:1px;margin:1.8rem 0 0;background:var(--line);border:1px solid var(--line);border-radius:12px;overflow:hidden}
.tiles div{display:flex;flex-direction:column;background:var(--card);padding:.9rem 1.05rem 1rem}
.tiles dd{order:-1;margin:0;font-size:1.75rem;line-height:1.2;font-weight:620;letter-spacing:-.02em}
.tiles dt{font-weight:600;font-size:.9rem}.tiles .note{order:1;font-size:.8rem;font-weight:400;letter-spacing:0;line-height:1.4}
.timeline{position:relative;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1rem 0 .5rem;cursor:crosshair;overflow:hidden;touch-action:pan-y}
.timeline:after{content:"";position:absolute;top:0;bottom:0;left:var(--at,0);width:1px;background:var(--ink);opacity:0}.timeline.pointed:after{opacity:.5}
.lane{padding:0 0 .9rem}.lane h3{padding:0 1rem}.lane p{padding:0 1rem}
.lane svg{display:block;width:100%;height:5.4rem}.strip svg{height:1.5rem}
.shade{fill:var(--shade)}.grid,.mean,.range,.mark,.dots{vector-effect:non-scaling-stroke;fill:none}
.grid{stroke:var(--line);stroke-dasharray:2 4}.mark{stroke:var(--accent);stroke-width:1.25;opacity:.8}
.mean{stroke:var(--tone);stroke-width:1.5;stroke-linejoin:round}.range{fill:var(--tone);opacity:.2}
.score{--tone:var(--soft)}.sharpness{--tone:var(--cool)}.motion{--tone:var(--warm)}
.dots{stroke:var(--accent);stroke-width:5;stroke-linecap:round}
.axis{padding-bottom:.2rem}.ticks{position:relative;height:1.2rem;font-size:.75rem;color:var(--soft)}.ticks span{position:absolute;padding-left:.35rem;border-left:1px solid var(--line)}
.scene{margin-top:1.2rem}.scene+.scene{margin-top:1.8rem}.scene h3{padding-bottom:.4rem;border-bottom:1px solid var(--line);margin-bottom:.9rem}
.sheet{display:grid;grid-template-columns:repeat(auto-fill,minmax(11.5rem,1fr));gap:1.1rem .9rem}
.card{margin:0;content-visibility:auto;contain-intrinsic-size:auto 9rem;scroll-margin:30vh 0;min-width:0}
.card a{display:block;border-radius:7px;overflow:hidden;background:var(--line);color:inherit;text-decoration:none;outline-offset:2px}
.card img{display:block;width:100%;height:100%;object-fit:cover;transition:filter .15s}.card a:hover img{filter:brightness(1.07)}
.card a:focus-visible,summary:focus-visible{outline:2px solid var(--accent)}.card:target a{outline:3px solid var(--accent)}
.blank{display:grid;place-content:center;height:100%;font-size:.8rem;color:var(--soft)}
.card figcaption{display:grid;grid-template-columns:auto 1fr auto;align-items:center;gap:.12rem .5rem;padding:.4rem .1rem 0;font-size:.82rem}
.at{color:var(--ink);font-weight:600}.chip{justify-self:end;grid-column:2/4;font-size:.76rem;display:flex;align-items:center;gap:.38em}.chip:before{content:"";width:.55em;height:.55em;border-radius:50%;background:var(--tone)}
.move{--tone:var(--move)}.turn{--tone:var(--turn)}.edge{--tone:var(--edge)}
.worth{grid-column:1/3;height:3px;border-radius:2px;background:var(--line);overflow:hidden}.worth i{display:block;height:100%;background:var(--soft)}
.number{text-align:right}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:2.2rem 3rem}
.reasons{list-style:none;margin:0;padding:0}.reasons li{display:grid;grid-template-columns:1fr 5rem;gap:.15rem 1rem;padding:.6rem 0}
.reasons .what{min-width:0}.reasons b{font-weight:600;margin-right:.5em}.reasons .bar{grid-column:1/3;height:4px;border-radius:2px;background:var(--line);overflow:hidden}.reasons .bar i{display:block;height:100%;background:var(--accent)}
.reasons .number{grid-area:1/2}.reasons .number small{display:inline-block;min-width:3.2em}
.spacing{margin:0}.bars{display:flex;align-items:flex-end;gap:2px;height:8rem;border-bottom:1px solid var(--line)}.bars i{flex:1;min-height:1px;border-radius:2px 2px 0 0;background:var(--wash)}.bars i.median{background:var(--accent)}
.scale{display:flex;justify-content:space-between;font-size:.76rem;color:var(--soft);padding:.25rem 0 .6rem}
.scroll{overflow-x:auto;margin:0 calc(-1*clamp(1rem,4vw,3rem));padding:0 clamp(1rem,4vw,3rem)}
table{border-collapse:collapse;width:100%;font-size:.88rem}th,td{text-align:left;padding:.5rem 1rem .5rem 0;border-bottom:1px solid var(--line);white-space:nowrap;vertical-align:baseline}th{font-weight:600;color:var(--soft);font-size:.8rem}th.number,td.number{text-align:right}abbr{text-decoration:none;cursor:help}
.scroll+p{margin-top:.8rem}
.damage{margin:0;padding:0;list-style:none;columns:18rem;column-gap:3rem}.damage li{padding:.25rem 0}.damage b{font-weight:600;margin-right:.6em}
.facts-list dt{font-weight:600;font-size:.9rem}.facts-list dd{margin:.2rem 0 .9rem}code{display:block;overflow-x:auto;font:.86rem/1.5 ui-monospace,"SF Mono",Menlo,monospace;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.55rem .8rem;white-space:pre}
details{border-top:1px solid var(--line);padding:.9rem 0}details:first-of-type{margin-top:clamp(2.2rem,5vw,3.4rem)}summary{cursor:pointer;font-weight:640;font-size:1.02rem}details[open] summary{margin-bottom:.9rem}
.columns{columns:17rem;column-gap:3rem;margin:0}.columns div{display:flex;justify-content:space-between;gap:1rem;padding:.28rem 0;border-bottom:1px solid var(--line);break-inside:avoid;font-size:.9rem}.columns dt{color:var(--soft)}.columns dd{margin:0;text-align:right;overflow-wrap:anywhere}
footer{border-top:1px solid var(--line);padding-top:1rem;color:var(--soft);font-size:.8rem;overflow-wrap:anywhere}
#peek{position:fixed;top:0;left:0;width:13rem;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:5px;box-shadow:0 8px 28px #0004;pointer-events:none;z-index:1}#peek[hidden]{display:none}#peek img{display:block;width:100%;border-radius:6px}#peek p{margin:.25rem .3rem 0;font-size:.82rem}
@media(max-width:34rem){.sheet{grid-template-columns:repeat(2,minmax(0,1fr));gap:.9rem .7rem}.tiles{grid-template-columns:1fr 1fr}.tiles div:first-child{grid-column:1/3}.ticks span:nth-child(even){display:none}.lane svg{height:4.4rem}.strip svg{height:1.3rem}}
@media print{.timeline,.card{break-inside:avoid}main{max-width:none;padding:0}}
`
