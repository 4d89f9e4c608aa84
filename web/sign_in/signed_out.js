/** Nobody is signed in, or no longer; the message says why, for the author. */
export class SignedOut extends Error {}
