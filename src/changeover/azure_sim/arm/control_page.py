"""What does a person see at ``/sim``? The accounts, the clock with two buttons, faults and what the provider did; no more than that."""

from html import escape
from typing import Final

from changeover.azure_sim.arm.replies import Json

_HEAD: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>changeover azure-sim</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d0d7de}
.warn{color:#9a3412;font-weight:600}code{font-size:13px}button{font:inherit;padding:.2rem .7rem;margin-right:.4rem}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}th,td{border-color:#30363d}.warn{color:#fdba74}}
</style></head><body>
<h1>changeover azure-sim</h1>
"""
_BUTTONS: Final = """<p>{buttons}</p>
<p>Key for changes: <input id="key" type="password" autocomplete="off" aria-label="key"> <span id="said" role="status"></span></p>
<script>
async function move(days){{
  const answer = await fetch("/sim/clock", {{method: "PUT", headers: {{"api-key": document.getElementById("key").value}},
    body: JSON.stringify({{advance_days: days}})}});
  if (answer.ok) location.reload(); else document.getElementById("said").textContent = "refused: " + answer.status;
}}
</script>
"""
_STEPS: Final = (1, 7, 30)


def page(state: Json) -> bytes:
    """``state`` as ``/sim/state`` says it."""
    buttons = "".join(f'<button type="button" onclick="move({days})">+{days} days</button>' for days in _STEPS)
    parts = [_HEAD, f"<p>The clock says <strong>{escape(str(state['now']))}</strong>.</p>", _BUTTONS.format(buttons=buttons)]
    parts.extend(_account(account) for account in state["accounts"])
    if state["faults"]:
        parts.append(f"<p class='warn'>{len(state['faults'])} planted faults are waiting.</p>")
    parts.append("<h2>What the provider did</h2><ul>")
    parts.extend(f"<li>{escape(line)}</li>" for line in reversed(state["log"]))
    parts.append("</ul></body></html>")
    return "".join(parts).encode()


def _account(account: Json) -> str:
    return f"<h2><code>{escape(account['id'])}</code> in {escape(account['location'])}</h2>{_table(account['deployments'])}"


def _table(deployments: list[Json]) -> str:
    head = "<tr><th>deployment<th>model<th>version<th>SKU<th>capacity<th>upgrade option<th>state<th>retires<th>next move</tr>"
    return f"<table>{head}{''.join(_row(each) for each in deployments)}</table>"


def _row(deployment: Json) -> str:
    pinned = deployment["upgrade"] == "NoAutoUpgrade"
    state = "retired" if deployment["retired"] else "paused" if deployment["paused"] else deployment["state"]
    move = deployment["next_move"]
    cells = [
        deployment["name"],
        deployment["model"],
        deployment["version"],
        deployment["sku"],
        str(deployment["capacity"]),
        deployment["upgrade"] or "(null)",
        state,
        (deployment["retires"] or "")[:10],
        f"{move['at'][:10]} to {move['model']} {move['version']}" if move else "",
    ]
    warned = {5: not pinned, 6: state != "Succeeded", 8: move is not None}
    return (
        "<tr>"
        + "".join(f"<td class='warn'>{escape(cell)}" if warned.get(index) else f"<td>{escape(cell)}" for index, cell in enumerate(cells))
        + "</tr>"
    )
