/** Who may come in by a provider, and as what: name, roles, rules, second proof. */
import type { CountsAsSecondFactor, Provider } from '@kalnet/contracts/federation'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Choice, Switch } from '../ui/choice.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { Select } from '../ui/select.tsx'
import { toast } from '../ui/toast.ts'
import { ICONS, ProviderIcon } from './icon.tsx'
import css from './providers.module.css'
import { providersChanged } from './queries.ts'
import { lineOf, type MappedRole, Rules, roleOptions, rulesOf } from './rules.tsx'

const WHEN = [
  { value: 'never', label: m.providerSecondNever },
  { value: 'told', label: m.providerSecondTold },
  { value: 'always', label: m.providerSecondAlways },
] as const
type When = CountsAsSecondFactor['when']

export default function ChangeProvider({ provider, onClose }: { provider: Provider; onClose: () => void }) {
  const [name, setName] = useState(provider.name)
  const [icon, setIcon] = useState(provider.icon)
  const [creates, setCreates] = useState(provider.createsPeople)
  const [role, setRole] = useState<string>(provider.defaultRole)
  const [lines, setLines] = useState(() => provider.rules.map(lineOf))
  const [when, setWhen] = useState<When>(provider.secondFactor.when)
  const [values, setValues] = useState(
    provider.secondFactor.when === 'told' ? provider.secondFactor.values.join(', ') : '',
  )
  const [secret, setSecret] = useState('')
  const said = values
    .split(',')
    .map((it) => it.trim())
    .filter(Boolean)
  const secondFactor: CountsAsSecondFactor =
    when === 'told' ? (said.length > 0 ? { when, values: said } : { when: 'never' }) : { when }
  const save = useMutation({
    mutationFn: () =>
      call(ROUTES.providers.change, {
        params: { id: provider.id },
        body: {
          name: name.trim(),
          icon,
          createsPeople: creates,
          defaultRole: role as MappedRole,
          rules: rulesOf(lines),
          secondFactor,
          ...(secret ? { clientSecret: secret } : {}),
        },
      }),
    onSuccess: () => {
      void providersChanged()
      toast({ tone: 'good', text: m.providerSaved })
      onClose()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!nameProblem(name)) save.mutate()
  }
  return (
    <Dialog title={provider.name} place="side" onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {save.error && <ErrorBox problem={save.error} />}
        <Field
          label={m.providerName}
          maxLength={60}
          value={name}
          onChange={setName}
          problem={nameProblem(name)}
        />
        <Choice
          label={m.providerIcon}
          value={icon}
          options={ICONS.map((it) => ({
            value: it,
            label: m.providerIcons[it],
            icon: <ProviderIcon icon={it} />,
          }))}
          onChange={setIcon}
        />
        <div>
          <Switch label={m.providerCreates} value={creates} onChange={setCreates} />
          <p className={css.quiet}>{m.providerCreatesText}</p>
        </div>
        <Select label={m.providerDefaultRole} value={role} options={roleOptions} onChange={setRole} />
        <Rules lines={lines} onChange={setLines} />
        <Choice label={m.providerSecondFactor} value={when} options={[...WHEN]} onChange={setWhen} />
        {when === 'told' && (
          <Field
            label={m.providerSecondValues}
            help={m.providerSecondValuesHelp}
            value={values}
            onChange={setValues}
          />
        )}
        {provider.kind === 'openid' && (
          <Field
            label={m.providerSecret}
            help={m.providerSecretKeep}
            type="password"
            autoComplete="off"
            value={secret}
            onChange={setSecret}
          />
        )}
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={save.isPending}>
            {m.save}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
