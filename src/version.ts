/** The program's version. */

/** Such as "0.1.0"; a test holds it to the manifest. */
export const VERSION = "0.1.0";
