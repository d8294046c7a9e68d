/** For fingers: the keys that a phone's keyboard lacks, and the keyboard itself. */
import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, Keyboard } from 'lucide-react'
import { type FormEvent, useRef } from 'react'
import * as m from '../messages/index.ts'
import { KEY, keyOf, MODIFIERS } from './keys.ts'
import type { Modifiers } from './use-modifiers.ts'
import css from './viewer.module.css'

/** Something must stand in the field, or phones send no event for the backspace key. */
const GROUND = '_'

const KEYS = [
  { key: KEY.escape, label: m.keyEscape, face: m.keyEscape },
  { key: KEY.tab, label: m.keyTab, face: m.keyTab },
]
const ARROWS = [
  { key: KEY.left, label: '←', face: <ArrowLeft aria-hidden /> },
  { key: KEY.up, label: '↑', face: <ArrowUp aria-hidden /> },
  { key: KEY.down, label: '↓', face: <ArrowDown aria-hidden /> },
  { key: KEY.right, label: '→', face: <ArrowRight aria-hidden /> },
]

export function TouchRow({ modifiers }: { modifiers: Modifiers }) {
  const field = useRef<HTMLTextAreaElement>(null)
  const type = (event: FormEvent<HTMLTextAreaElement>) => {
    const it = event.currentTarget
    const text = it.value
    if (!text.includes(GROUND)) modifiers.press(KEY.backspace)
    // What is typed may come before it: a field that was just entered has its caret at the start.
    for (const character of text.replace(GROUND, '')) modifiers.press(keyOf(character))
    it.value = GROUND
  }
  return (
    <div className={css.touchRow} role="toolbar" aria-label={m.keys}>
      <button type="button" aria-label={m.keyboard} onClick={() => field.current?.focus()}>
        <Keyboard aria-hidden />
      </button>
      {KEYS.map(({ key, label, face }) => (
        <button key={label} type="button" onClick={() => modifiers.press(key)}>
          {face}
        </button>
      ))}
      {MODIFIERS.map(({ id, word }) => (
        <button
          key={id}
          type="button"
          aria-pressed={modifiers.held.has(id)}
          onClick={() => modifiers.toggle(id)}
        >
          {word}
        </button>
      ))}
      {ARROWS.map(({ key, label, face }) => (
        <button key={label} type="button" aria-label={label} onClick={() => modifiers.press(key)}>
          {face}
        </button>
      ))}
      <textarea
        ref={field}
        className={css.typing}
        aria-label={m.keyboardInput}
        defaultValue={GROUND}
        autoCapitalize="off"
        autoComplete="off"
        autoCorrect="off"
        spellCheck={false}
        tabIndex={-1}
        onInput={type}
      />
    </div>
  )
}
