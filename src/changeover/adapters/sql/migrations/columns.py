"""Which types do the steps use? Fixed here, as the steps are."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

TEXT: Final = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
COUNTER: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")
