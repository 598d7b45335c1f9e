/** The program's version. */

/** Such as "0.1.0"; a test holds it to the manifest. */
export const VERSION = "0.1.0";

/** The day that manual pages show: that of the release, or of the work on it. */
export const VERSION_DATE = "2026-11-25";
