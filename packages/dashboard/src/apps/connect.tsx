/** Connects an app: which, where, for whom; then what to put into it, once. */
import type { Allowed } from '@kalnet/contracts/app'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Pick } from '../ui/checks.tsx'
import { Switch } from '../ui/choice.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import css from './apps.module.css'
import { PRESETS, type Preset } from './presets.ts'
import { issuerQuery } from './queries.ts'
import { Values } from './values.tsx'
import { Who } from './who.tsx'

const [OTHER] = PRESETS
const addressProblem = (text: string) =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? undefined : m.appAddressWrong

function useConnect(preset: Preset | undefined) {
  return useMutation({
    mutationFn: (it: {
      name: string
      address: string
      isPublic: boolean
      trusted: boolean
      allowed: Allowed
    }) => {
      const known = preset?.addresses?.(it.address.replace(/\/+$/, ''))
      return call(ROUTES.apps.add, {
        body: {
          name: it.name.trim(),
          redirectUris: [known?.redirect ?? it.address],
          leaveUris: known?.leave ? [known.leave] : [],
          logoutUri: known?.logout ?? null,
          kind: it.isPublic ? 'public' : 'confidential',
          trusted: it.trusted,
          allowed: it.allowed,
        },
      })
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['apps'] }),
  })
}

export default function Connect({ onClose }: { onClose: () => void }) {
  const [presetId, setPreset] = useState('other')
  const preset = PRESETS.find((it) => it.id === presetId) ?? OTHER
  const [name, setName] = useState('')
  const [address, setAddress] = useState('')
  const [isPublic, setPublic] = useState(false)
  const [trusted, setTrusted] = useState(false)
  const [allowed, setAllowed] = useState<Allowed>({ roles: [], groups: [] })
  const [tried, setTried] = useState(false)
  const issuer = useQuery(issuerQuery)
  const connect = useConnect(preset)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!nameProblem(name) && !addressProblem(address))
      connect.mutate({ name, address, isPublic, trusted, allowed })
  }
  if (connect.data) {
    const { app, secret } = connect.data
    return (
      <Dialog title={m.appMade(app.name)} onClose={onClose}>
        <DialogText>{secret ? m.appMadeText : m.appMadePublicText}</DialogText>
        <Values
          of={[
            { label: m.appIssuer, text: issuer.data?.issuer ?? `${location.origin}/oidc` },
            { label: m.appClientId, text: app.clientId },
            ...(secret ? [{ label: m.appSecret, text: secret }] : []),
            { label: m.appRedirect, text: app.redirectUris[0] ?? '' },
          ]}
        />
        <DialogActions>
          <Button look="primary" onPress={onClose}>
            {m.close}
          </Button>
        </DialogActions>
      </Dialog>
    )
  }
  const own = preset?.addresses === null
  return (
    <Dialog title={m.appAdd} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {connect.error && <ErrorBox problem={connect.error} />}
        <Pick
          label={m.appKindOf}
          value={presetId}
          options={PRESETS.map(({ id, name: label, more }) => ({ value: id, label, more }))}
          onChange={(next) => {
            setPreset(next)
            const chosen = PRESETS.find((it) => it.id === next)
            if (chosen?.addresses && !name) setName(chosen.name)
          }}
        />
        <Field
          label={m.appName}
          placeholder={m.appNameExample}
          maxLength={60}
          value={name}
          onChange={setName}
          problem={tried ? nameProblem(name) : undefined}
        />
        <Field
          label={own ? m.appRedirect : m.appAddress}
          help={own ? m.appRedirectHelp : undefined}
          placeholder={own ? m.appRedirectExample : m.appAddressExample}
          maxLength={500}
          value={address}
          onChange={setAddress}
          problem={tried ? addressProblem(address) : undefined}
        />
        {own && <Switch label={m.appPublic} value={isPublic} onChange={setPublic} />}
        <Switch label={m.appTrusted} value={trusted} onChange={setTrusted} />
        <Who value={allowed} onChange={setAllowed} />
        <DialogActions>
          <Button onPress={onClose}>{m.cancel}</Button>
          <Button type="submit" look="primary" isPending={connect.isPending}>
            {m.appMake}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
