/** How a report looks: on light and dark screens, wide and narrow. */
export const STYLE = `
:root{--page:#f4f5f7;--card:#fff;--ink:#1c2128;--muted:#5c6670;--grid:#e3e6ea;--axis:#9aa3ad;--edge:#dfe3e8;
--c0:#2563eb;--c1:#d9660a;--c2:#15803d;--c3:#9333ea;--c4:#0e7490;--c5:#be185d;--bar:#5b8def;--over:#ef6a5e;--under:#2bb3a3;--right:#2563eb;--wrong:#ea580c;--depth:42%}
@media (prefers-color-scheme:dark){:root{--page:#0e1116;--card:#171b22;--ink:#e6e9ee;--muted:#9aa5b1;--grid:#2a303a;--axis:#5d6874;--edge:#262c36;
--c0:#78a9ff;--c1:#ff9d57;--c2:#5fd38a;--c3:#c89bff;--c4:#5cc8de;--c5:#ff86b5;--bar:#4a7bdc;--over:#e0584d;--under:#2aa596;--right:#3b82f6;--wrong:#f97316;--depth:66%}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1240px;padding:20px 16px 28px;background:var(--page);color:var(--ink);font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
h1{font-size:22px;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:15px;margin:0 0 10px}
h3{font-size:13px;font-weight:600;margin:0;color:var(--muted);overflow-wrap:anywhere}
.result{margin:4px 0 0;color:var(--muted)}.result strong{font-size:26px;color:var(--ink);margin-right:4px}
.status{margin:6px 0 0;color:var(--c1)}
dl{display:flex;flex-wrap:wrap;gap:8px 28px;margin:12px 0 18px}
dt{font-size:12px;color:var(--muted)}dd{margin:0;font-variant-numeric:tabular-nums}
main{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));gap:14px}
section{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:14px 16px;min-width:0}
.wide{grid-column:1/-1}
.note{margin:8px 0 0;font-size:12.5px;color:var(--muted)}
svg{display:block;width:100%;height:auto;max-width:440px;margin:0 auto;overflow:visible}
svg text{fill:var(--muted);font-size:11px}
svg .label{font-size:11px;fill:var(--muted)}svg .name,svg .value{fill:var(--ink)}
.grid{stroke:var(--grid)}.axis{stroke:var(--axis)}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}.c5{--c:var(--c5)}
.line{stroke:var(--c)}.line.dashed{stroke-dasharray:5 3}.dot{fill:var(--c)}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;margin:0 0 8px;font-size:12.5px;color:var(--muted)}
.key{display:inline-block;width:16px;border-top:3px solid var(--c);margin-right:6px;vertical-align:4px}
.key.dashed{border-top-style:dashed}
.bar{fill:var(--bar)}.over{fill:var(--over)}.under{fill:var(--under)}.few{opacity:.35}
.diagonal{stroke:var(--ink);stroke-dasharray:4 3;opacity:.55}.mean{stroke:var(--c1);stroke-width:2}
.right{fill:var(--right)}.wrong{fill:var(--wrong)}
svg .count{fill:var(--ink);font-size:10.5px}svg .inverse{fill:#fff}
.image,.prototype{fill:hsl(var(--hue) 70% var(--depth))}.image{opacity:.45}
.prototype{stroke:var(--card)}
svg .place{fill:var(--ink);font-size:12px;font-weight:600;paint-order:stroke;stroke:var(--card);stroke-width:3px}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(84px,1fr));gap:12px 10px}
.tiles.small{grid-template-columns:repeat(auto-fill,minmax(40px,1fr));gap:4px}
figure{margin:0;min-width:0}
figure img{display:block;width:100%;image-rendering:pixelated;border-radius:4px;background:var(--grid)}
figcaption{margin-top:4px;font-size:12px;line-height:1.3;color:var(--muted);overflow-wrap:anywhere}
.prototypes{display:grid;grid-template-columns:minmax(0,max-content) minmax(0,1fr);gap:6px 12px;align-items:center}
.prototypes h3{max-width:110px}
footer{display:flex;flex-wrap:wrap;gap:2px 18px;margin-top:16px;font-size:12px;color:var(--muted);overflow-wrap:anywhere}
@media (max-width:480px){.prototypes{grid-template-columns:1fr;gap:4px}.prototypes h3{max-width:none;margin-top:6px}}
@media print{body{background:#fff}section{break-inside:avoid}}
`;
