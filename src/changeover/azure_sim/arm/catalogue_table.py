"""Which model versions does the stage's Azure offer? A table after Azure's published page of 5 October 2026.

Columns: name, version, lifecycle as the API says it, day of retirement (``-``: none is known), what replaces it (name@version,
``-``: nothing is named), and the kind of offer. Which version is the default is not published; that choice is the stage's own.
"""

from typing import Final

CATALOGUE: Final = """
gpt-4.1                2025-04-14  Deprecating           2027-04-14  -                     regional
gpt-4.1-mini           2025-04-14  Deprecating           2027-04-14  -                     regional
gpt-4.1-nano           2025-04-14  Deprecating           2026-10-14  -                     regional
gpt-4o                 2024-05-13  Deprecating           2026-12-09  gpt-5.6-sol@2026-07-09 regional
gpt-4o                 2024-08-06  Deprecating           2027-04-14  gpt-5.1@2025-11-13    regional
gpt-4o                 2024-11-20  Legacy                2027-04-14  gpt-5.1@2025-11-13    regional
gpt-4o-mini            2024-07-18  Deprecating           2027-04-14  -                     regional
gpt-5                  2025-08-07  GenerallyAvailable    2027-02-09  -                     global
gpt-5-mini             2025-08-07  GenerallyAvailable    2027-02-09  -                     global
gpt-5-nano             2025-08-07  GenerallyAvailable    2027-02-09  -                     global
gpt-5-pro              2025-10-06  GenerallyAvailable    2027-04-07  -                     global
gpt-5.1                2025-11-13  GenerallyAvailable    2027-05-15  -                     global
gpt-5.1-chat           2025-11-13  Deprecated            2026-06-29  -                     global
gpt-5.2                2025-12-11  GenerallyAvailable    2027-06-08  -                     global
gpt-5.4                2026-03-05  GenerallyAvailable    2027-09-02  -                     global
gpt-5.4-mini           2026-03-17  GenerallyAvailable    2027-09-21  -                     global
gpt-5.4-nano           2026-03-17  GenerallyAvailable    2027-09-21  -                     global
gpt-5.4-pro            2026-03-05  GenerallyAvailable    2027-09-07  -                     global
gpt-5.5                2026-04-24  GenerallyAvailable    2027-10-26  -                     global
gpt-5.6-luna           2026-07-09  GenerallyAvailable    2028-01-11  -                     new
gpt-5.6-sol            2026-07-09  GenerallyAvailable    2028-01-11  -                     new
gpt-5.6-terra          2026-07-09  GenerallyAvailable    2028-01-11  -                     new
gpt-chat-latest        2026-08-06  Preview               2026-12-02  -                     global
o1                     2024-12-17  Deprecating           2026-11-19  gpt-5.6-sol@2026-07-09 regional
o3                     2025-04-16  Deprecating           2026-11-19  gpt-5.6-sol@2026-07-09 global
o3-mini                2025-01-31  Deprecating           2026-11-19  gpt-5.6-terra@2026-07-09 regional
o4-mini                2025-04-16  Deprecating           2026-11-19  gpt-5.6-terra@2026-07-09 global
text-embedding-3-large 1           GenerallyAvailable    2028-02-09  -                     regional
text-embedding-3-small 1           GenerallyAvailable    2028-02-09  -                     regional
text-embedding-ada-002 1           Stable                2028-02-09  -                     regional
text-embedding-ada-002 2           Stable                2028-02-09  -                     regional
"""

DEFAULTS: Final = """
gpt-4o                 2024-08-06  2025-01-15
gpt-4o                 2024-11-20  2026-12-01
text-embedding-ada-002 2           2023-08-01
"""
"""Name, version, since when it is the default. A model with one version has that as its default."""

REGIONS: Final = ("eastus2", "northcentralus", "southcentralus", "swedencentral", "westeurope", "westus3")
REGIONS_OF_NEW: Final = ("eastus2", "swedencentral")
"""Where the newest models are offered: new models come to a few regions first."""
