# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The page's style sheet. A module of Python, since collections ship nothing else to where filters run."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6470; --paper: #fff; --line: #dfe3e8; --band: #f5f7f9; --source: #b8741a; --target:
  #2563c9; --bad: #c9252d; --action: #b8741a; --warn: #8a6d00; --info: #5b6470; --good: #1a7f4b; --gone: #fdeceb; --come: #e7f6ec; --gonemark:
  #f7c6c3; --comemark: #b9e6c7 }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaee; --soft: #9aa4b0; --paper: #14171b; --line: #2b3138; --band: #1b2026; --source: #e0a040;
  --target: #6ea2f5; --bad: #f06a70; --action: #e0a040; --warn: #d8bd4a; --info: #9aa4b0; --good: #4cc38a; --gone: #35191b; --come: #16301f;
  --gonemark: #6b2b2f; --comemark: #23603a } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 1160px; margin: 0 auto; padding: 2rem 1.25rem 4rem }
h1 { font-size: 1.7rem; margin: 0 }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem }
h3 { font-size: 1rem; margin: 0 0 .2rem }
p { margin: .2rem 0 }
h1 span { display: inline-block; font-size: 1rem; padding: .15rem .7rem; border-radius: 1rem; vertical-align: middle; color: #fff }
h1 .bad { background: var(--bad) }
h1 .good { background: var(--good) }
.note { color: var(--soft); font-size: .9rem }
a { color: var(--target) }
small { font-weight: normal }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1rem }
.tile { border: 1px solid var(--line); border-top: 3px solid var(--info); border-radius: .4rem; padding: .5rem 1rem; min-width: 7rem; text-decoration:
  none; color: inherit }
.tile b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums }
.tile span { color: var(--soft); font-size: .85rem }
.tile.BLOCKER { border-top-color: var(--bad) }
.tile.ACTION { border-top-color: var(--action) }
.tile.WARN { border-top-color: var(--warn) }
.picture { overflow-x: auto }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif }
svg rect { fill: var(--band); stroke: var(--line) }
svg text { fill: var(--soft) }
svg .title { fill: var(--ink); font-weight: 600 }
svg .lane { fill: var(--ink); font-weight: 600; font-size: 13px }
svg .source rect { stroke: var(--source) }
svg .target rect { stroke: var(--target) }
.flow { fill: none; stroke-width: 1.5 }
.now { stroke: var(--good) }
.later { stroke: var(--soft) }
.flow.later { stroke-dasharray: 4 4 }
.head { stroke: none }
.head.now { fill: var(--good) }
.head.later { fill: var(--soft) }
.key { display: inline-block; width: 1.6em; border-top: 2px solid; vertical-align: middle }
.key.now { border-color: var(--good) }
.key.later { border-top-style: dashed; border-color: var(--soft); margin-left: 1em }
.hands { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 1.5rem; margin-top: 1.5rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere;
  font-weight: normal }
.hands th { color: var(--soft); white-space: nowrap; width: 1% }
article td:first-child { width: 50% }
article td:last-child { width: 7rem; color: var(--soft) }
article { border-left: 3px solid var(--info); padding: .5rem 0 .5rem 1rem; margin: 1rem 0 }
article.BLOCKER { border-color: var(--bad) }
article.ACTION { border-color: var(--action) }
article.WARN { border-color: var(--warn) }
b.BLOCKER { color: var(--bad) }
b.ACTION { color: var(--action) }
b.WARN { color: var(--warn) }
details { border-bottom: 1px solid var(--line); padding: .35rem 0 }
summary { cursor: pointer }
code { font: 12.5px/1.45 ui-monospace, monospace }
.sides, .heads { font-size: 12.5px }
.row { display: grid; grid-template-columns: 1fr 1fr; gap: 2px }
.row code { white-space: pre-wrap; overflow-wrap: anywhere; padding: 0 .5rem; min-height: 1.45em }
.heads { color: var(--soft); margin-top: .5rem }
.heads b { padding: 0 .5rem }
.gone { background: var(--gone) }
.come { background: var(--come) }
mark { color: inherit; border-radius: 2px }
.gone mark { background: var(--gonemark) }
.come mark { background: var(--comemark) }
.sides details { border: 0; padding: 0 }
.sides summary { color: var(--soft); background: var(--band); padding: 0 .5rem; font-size: 12px }
@media (max-width: 700px) { .row { grid-template-columns: 1fr } svg { min-width: 900px } article tr { display: block; border-bottom: 1px solid
  var(--line); padding: .25rem 0 } article td, article td:first-child, article td:last-child { display: block; width: auto; border: 0; padding: 0 }
  article td:empty { display: none } }
@media print { main { max-width: none } }
"""
