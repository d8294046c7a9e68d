/** Makes a key: what it is for, what it may, until when; then it is shown once. */
import type { ScopePreset, ServiceAccount } from '@kalnet/contracts/key'
import type { KeyScope } from '@kalnet/contracts/permission'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Checks, Pick } from '../ui/checks.tsx'
import { Choice } from '../ui/choice.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { ALL_SCOPES, PRESET_WORDS, PRESETS, SCOPE_WORDS } from './choices.ts'
import css from './keys.module.css'
import { lookAgain } from './queries.ts'
import { ShownOnce } from './shown-once.tsx'

type Chosen = ScopePreset | 'some'
const MORE: Record<ScopePreset, string> = {
  read: m.keyMayReadMore,
  launch: m.keyMayLaunchMore,
  scim: m.keyMayScimMore,
  everything: m.keyMayEverythingMore,
}
const DAYS = { '30': 30, '90': 90, '365': 365, never: null } as const
type Days = keyof typeof DAYS

interface MakeProps {
  /** The program it is for; absent: it acts as oneself. */
  account?: ServiceAccount
  onClose: () => void
}
export default function MakeKey({ account, onClose }: MakeProps) {
  const me = useMe()
  const [name, setName] = useState('')
  const [chosen, setChosen] = useState<Chosen>('read')
  const [some, setSome] = useState<KeyScope[]>([])
  const [days, setDays] = useState<Days>('90')
  const [tried, setTried] = useState(false)
  const scopes = chosen === 'some' ? some : [...PRESETS[chosen]]
  const make = useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), scopes, expiresInDays: DAYS[days] }
      return account
        ? call(ROUTES.keys.makeForAccount, { params: { id: account.id }, body })
        : call(ROUTES.keys.make, { body })
    },
    onSuccess: lookAgain,
  })
  if (make.data) return <ShownOnce name={make.data.key.name} token={make.data.token} onClose={onClose} />
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!nameProblem(name) && scopes.length > 0) make.mutate()
  }
  const steward = may(me, 'scim.use')
  const presets = (Object.keys(PRESETS) as ScopePreset[]).filter((it) => it !== 'scim' || steward)
  const options: { value: Chosen; label: string; more: string }[] = [
    ...presets.map((value) => ({ value, label: PRESET_WORDS[value], more: MORE[value] })),
    { value: 'some', label: m.keyMaySome, more: m.keyMaySomeMore },
  ]
  const times: { value: Days; label: string }[] = [
    { value: '30', label: m.keyDays(30) },
    { value: '90', label: m.keyDays(90) },
    { value: '365', label: m.keyYear },
    ...(me.role === 'owner' ? [{ value: 'never' as const, label: m.keyForever }] : []),
  ]
  return (
    <Dialog title={m.keyMake} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {make.error && <ErrorBox problem={make.error} />}
        <Field
          label={m.keyName}
          placeholder={m.keyNameExample}
          maxLength={60}
          value={name}
          onChange={setName}
          problem={tried ? nameProblem(name) : undefined}
          autoFocus
        />
        <Pick label={m.keyMay} value={chosen} options={options} onChange={setChosen} />
        {chosen === 'some' && (
          <Checks
            label={m.keyScopes}
            value={some}
            // What oneself may not, one's key may neither.
            options={ALL_SCOPES.filter((it) => account || may(me, it)).map((value) => ({
              value,
              label: SCOPE_WORDS[value],
            }))}
            onChange={(all) => setSome(all as KeyScope[])}
          />
        )}
        {chosen === 'some' && tried && some.length === 0 && (
          <p className={css.problem} role="alert">
            {m.keyScopesMissing}
          </p>
        )}
        <Choice
          label={m.keyUntil}
          help={days === 'never' ? m.keyForeverHelp : undefined}
          value={days}
          options={times}
          onChange={setDays}
        />
        {!account && <DialogText>{m.keyMayNever}</DialogText>}
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={make.isPending}>
            {m.keyMake}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
