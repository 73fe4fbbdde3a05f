// What Python imports before the first program runs, once: what is compiled or kept in memory afterwards follows from it.
export const PACKAGES = "/lib/packages.zip";
export const IMPORTS = `
import sys
sys.path.insert(0, "${PACKAGES}")
from chainrule.site import session
session.prepare()
`;
