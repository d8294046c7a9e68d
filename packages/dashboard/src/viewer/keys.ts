/** Keys by name, as RFB wants them (X11 keysyms) and as browsers call them. */
import * as m from '../messages/index.ts'

export interface Key {
  keysym: number
  code: string | null
}
export const KEY = {
  escape: { keysym: 0xff1b, code: 'Escape' },
  tab: { keysym: 0xff09, code: 'Tab' },
  enter: { keysym: 0xff0d, code: 'Enter' },
  backspace: { keysym: 0xff08, code: 'Backspace' },
  left: { keysym: 0xff51, code: 'ArrowLeft' },
  up: { keysym: 0xff52, code: 'ArrowUp' },
  right: { keysym: 0xff53, code: 'ArrowRight' },
  down: { keysym: 0xff54, code: 'ArrowDown' },
  super: { keysym: 0xffeb, code: 'MetaLeft' },
} as const satisfies Record<string, Key>

export const MODIFIERS = [
  { id: 'control', word: m.keyControl, keysym: 0xffe3, code: 'ControlLeft' },
  { id: 'alt', word: m.keyAlt, keysym: 0xffe9, code: 'AltLeft' },
  { id: 'shift', word: m.keyShift, keysym: 0xffe1, code: 'ShiftLeft' },
  { id: 'super', word: m.keySuper, keysym: 0xffeb, code: 'MetaLeft' },
] as const
export type Modifier = (typeof MODIFIERS)[number]['id']

/** X11: Latin-1 is itself, all else is Unicode with a mark. */
export function keyOf(character: string): Key {
  const point = character.codePointAt(0) ?? 0
  if (character === '\n') return KEY.enter
  return { keysym: point < 0x100 ? point : 0x01000000 + point, code: null }
}
