/** What opens under the session bar: keys, clipboard, size. */
import { useEffect, useState } from 'react'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Choice, Switch } from '../ui/choice.tsx'
import { Field } from '../ui/field.tsx'
import { CopyButton } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import css from './bar.module.css'
import { KEY, MODIFIERS } from './keys.ts'
import type { FitMode, Quality } from './screen.ts'
import type { Clipboard } from './use-clipboard.ts'
import type { Modifiers } from './use-modifiers.ts'

interface KeysPanelProps {
  modifiers: Modifiers
  onControlAltDelete: () => void
}
export function KeysPanel({ modifiers, onControlAltDelete }: KeysPanelProps) {
  return (
    <section className={css.panel} aria-label={m.keys}>
      <h2>{m.keysSend}</h2>
      <div className={css.row}>
        <Button onPress={onControlAltDelete}>{`${m.keyControl} ${m.keyAlt} Del`}</Button>
        <Button onPress={() => modifiers.press(KEY.escape)}>{m.keyEscape}</Button>
        <Button onPress={() => modifiers.press(KEY.tab)}>{m.keyTab}</Button>
        <Button onPress={() => modifiers.press(KEY.super)}>{m.keySuper}</Button>
      </div>
      <h2>{m.keysHold}</h2>
      <div className={css.row}>
        {MODIFIERS.map(({ id, word }) => (
          <button
            key={id}
            type="button"
            className={css.hold}
            aria-pressed={modifiers.held.has(id)}
            onClick={() => modifiers.toggle(id)}
          >
            {word}
          </button>
        ))}
      </div>
    </section>
  )
}

export function ClipboardPanel({ clipboard }: { clipboard: Clipboard }) {
  const [text, setText] = useState(clipboard.text)
  useEffect(() => setText(clipboard.text), [clipboard.text])
  return (
    <section className={css.panel} aria-label={m.clipboard}>
      <Field lines label={m.clipboardField} help={m.clipboardText} value={text} onChange={setText} />
      <div className={css.row}>
        <Button
          look="primary"
          onPress={() => {
            clipboard.send(text)
            toast({ tone: 'good', text: m.clipboardSent })
          }}
        >
          {m.clipboardSend}
        </Button>
        <CopyButton text={text} label={m.clipboardCopy} />
      </div>
      <Switch
        label={m.clipboardAuto}
        value={clipboard.auto}
        onChange={(on) => void clipboard.switchAuto(on)}
      />
      {clipboard.denied && <p className={css.note}>{m.clipboardDenied}</p>}
    </section>
  )
}

interface SizePanelProps {
  fit: FitMode
  onFit: (fit: FitMode) => void
  quality: Quality
  onQuality: (quality: Quality) => void
}
export function SizePanel({ fit, onFit, quality, onQuality }: SizePanelProps) {
  return (
    <section className={css.panel} aria-label={m.fit}>
      <Choice
        label={m.fit}
        help={m.fitHelp}
        value={fit}
        options={[
          { value: 'resize', label: m.fitResize },
          { value: 'scale', label: m.fitScale },
          { value: 'actual', label: m.fitActual },
        ]}
        onChange={onFit}
      />
      <Choice
        label={m.quality}
        value={quality}
        options={[
          { value: 'best', label: m.qualityBest },
          { value: 'balanced', label: m.qualityBalanced },
          { value: 'saving', label: m.qualitySaving },
        ]}
        onChange={onQuality}
      />
    </section>
  )
}
