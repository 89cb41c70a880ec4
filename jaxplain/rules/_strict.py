"""What to say of an operation without a rule."""

from jax.extend.core import JaxprEqn

from ._place import Place


def no_rule(
    method: str, eqn: JaxprEqn, place: Place, how: str = ""
) -> NotImplementedError:
    what = f"`{eqn.primitive}`" + (f" {how}" if how else "")
    return NotImplementedError(
        f"`{method}` has no rule for the operation {what}, found "
        f"{place}. Write it with other operations, for example "
        "by `jaxplain.rules.rewrite`, or leave `strict=True` out for the fallback that "
        f"the documentation of `{method}` describes."
    )
