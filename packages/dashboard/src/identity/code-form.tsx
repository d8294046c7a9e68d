/** Where a code is written: six digits that go off by themselves, or a recovery code. */
import { type FormEvent, useEffect, useRef, useState } from 'react'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import css from './door.module.css'

const DIGITS = 6
const onlyDigits = (text: string) => text.replace(/\D/g, '').slice(0, DIGITS)

interface CodeFormProps {
  kind: 'totp' | 'recovery'
  /** The last answer: after a wrong one the field is empty again. */
  wrong: unknown
  pending: boolean
  /** Tried too often: not now. */
  waiting: boolean
  action: string
  onCode: (code: string) => void
}

export function CodeForm({ kind, wrong, pending, waiting, action, onCode }: CodeFormProps) {
  const [code, setCode] = useState('')
  const [tried, setTried] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    if (!wrong) return
    setCode('')
    setTried(false)
    form.current?.querySelector('input')?.focus()
  }, [wrong])

  const digits = kind === 'totp'
  const problem = digits
    ? code.length < DIGITS
      ? m.factorCodeShort
      : undefined
    : code.trim()
      ? undefined
      : m.factorCodeMissing
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!problem && !waiting && !pending) onCode(code)
  }
  const change = (text: string) => {
    const next = digits ? onlyDigits(text) : text
    setCode(next)
    // Written, pasted or filled in by the phone: nothing is left to press.
    if (digits && next.length === DIGITS && next !== code && !waiting && !pending) onCode(next)
  }
  return (
    <form ref={form} className={css.form} onSubmit={submit} noValidate>
      <div className={digits ? css.digits : css.code}>
        <Field
          label={digits ? m.factorCode : m.factorRecoveryCode}
          name={digits ? 'code' : 'recovery-code'}
          type="text"
          inputMode={digits ? 'numeric' : 'text'}
          autoComplete={digits ? 'one-time-code' : 'off'}
          autoCorrect="off"
          spellCheck="false"
          placeholder={digits ? undefined : m.factorRecoveryExample}
          value={code}
          onChange={change}
          problem={tried ? problem : undefined}
          autoFocus
        />
      </div>
      <Button type="submit" look="primary" wide isPending={pending} isDisabled={waiting}>
        {action}
      </Button>
    </form>
  )
}
