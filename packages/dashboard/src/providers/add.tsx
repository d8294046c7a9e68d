/** Adds a provider: what it speaks, where it is, a look there, and what to enter there. */
import type { NewProvider, ProviderKind } from '@kalnet/contracts/federation'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Pick } from '../ui/checks.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { CheckList, Values } from './parts.tsx'
import css from './providers.module.css'
import { providersChanged } from './queries.ts'

const KINDS = [
  { value: 'openid', label: m.providerOpenId, more: m.providerOpenIdText },
  { value: 'saml', label: m.providerSaml, more: m.providerSamlText },
] as const
const addressProblem = (text: string) =>
  URL.canParse(text.trim()) && /^https?:$/.test(new URL(text.trim()).protocol)
    ? undefined
    : m.providerIssuerWrong

export default function AddProvider({ onClose }: { onClose: () => void }) {
  const [kind, setKind] = useState<ProviderKind>('openid')
  const [name, setName] = useState('')
  const [issuer, setIssuer] = useState('')
  const [clientId, setClientId] = useState('')
  const [secret, setSecret] = useState('')
  const [url, setUrl] = useState('')
  const [xml, setXml] = useState('')
  const [tried, setTried] = useState(false)
  const metadata = xml.trim() ? { xml: xml.trim() } : { url: url.trim() }
  const problems =
    kind === 'openid'
      ? {
          name: nameProblem(name),
          issuer: addressProblem(issuer),
          clientId: clientId.trim() ? undefined : m.providerClientIdMissing,
        }
      : {
          name: nameProblem(name),
          metadata: xml.trim() || !addressProblem(url) ? undefined : m.providerMetadataMissing,
        }
  const look = useMutation({
    mutationFn: () =>
      call(ROUTES.providers.look, {
        body: kind === 'openid' ? { kind, issuer: issuer.trim() } : { kind, metadata },
      }),
  })
  const add = useMutation({
    mutationFn: () => {
      const body: Extract<NewProvider, { kind: 'openid' }> | object =
        kind === 'openid'
          ? {
              kind,
              name: name.trim(),
              issuer: issuer.trim(),
              clientId: clientId.trim(),
              ...(secret ? { clientSecret: secret } : {}),
            }
          : { kind, name: name.trim(), metadata }
      return call(ROUTES.providers.add, { body: body as NewProvider })
    },
    onSuccess: () => providersChanged(),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (Object.values(problems).every((it) => it === undefined)) add.mutate()
  }
  if (add.data)
    return (
      <Dialog title={m.providerMade(add.data.name)} onClose={onClose}>
        <DialogText>{m.providerMadeText}</DialogText>
        <Values provider={add.data} />
        <DialogActions>
          <Button look="primary" onPress={onClose}>
            {m.close}
          </Button>
        </DialogActions>
      </Dialog>
    )
  const looked = look.data?.check
  const canLook = kind === 'openid' ? !addressProblem(issuer) : xml.trim() !== '' || !addressProblem(url)
  const shown = (problem: string | undefined) => (tried ? problem : undefined)
  return (
    <Dialog title={m.providerAddTitle} onClose={onClose}>
      <form className={css.form} onSubmit={submit} noValidate>
        {add.error && <ErrorBox problem={add.error} />}
        <Pick
          label={m.providerKindLabel}
          value={kind}
          options={KINDS}
          onChange={(next) => {
            setKind(next)
            look.reset()
          }}
        />
        <Field
          label={m.providerName}
          placeholder={m.providerNameExample}
          maxLength={60}
          value={name}
          onChange={setName}
          problem={shown(problems.name)}
        />
        {kind === 'openid' ? (
          <>
            <Field
              label={m.providerIssuer}
              placeholder={m.providerIssuerExample}
              inputMode="url"
              value={issuer}
              onChange={setIssuer}
              problem={shown(problems.issuer)}
            />
            <Field
              label={m.providerClientId}
              value={clientId}
              onChange={setClientId}
              problem={shown(problems.clientId)}
            />
            <Field
              label={m.providerSecret}
              help={m.providerSecretHelp}
              type="password"
              autoComplete="off"
              value={secret}
              onChange={setSecret}
            />
          </>
        ) : (
          <>
            <Field
              label={m.providerMetadataUrl}
              inputMode="url"
              value={url}
              onChange={setUrl}
              problem={shown(problems.metadata)}
            />
            <Field label={m.providerMetadataXml} lines value={xml} onChange={setXml} />
          </>
        )}
        {look.error && <ErrorBox problem={look.error} />}
        {looked && <CheckList check={looked} />}
        <DialogActions>
          <Button isDisabled={!canLook} isPending={look.isPending} onPress={() => look.mutate()}>
            {m.providerLook}
          </Button>
          <Button type="submit" look="primary" isPending={add.isPending}>
            {m.providerMake}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  )
}
