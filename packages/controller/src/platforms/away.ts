/** What a platform says when it cannot tell or cannot do something: words that mean different things for whoever waits. */

/** It cannot be asked now, and what it runs may well run on: nothing is concluded from it, and nothing counted. */
export class PlatformAway extends Error {}

/** Nobody will tell any more what became of this one, in words for people. */
export class InstanceLost extends Error {}

/** It cannot be made, and another try would end the same. */
export class Refused extends Error {}

export const isAway = (error: unknown): boolean => error instanceof PlatformAway
export const lostInWords = (error: unknown): string | null =>
  error instanceof InstanceLost ? error.message.slice(0, 400) : null
