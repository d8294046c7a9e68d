/** Is it you? Asked before what is dangerous: by password, code or passkey, or at the provider. Declining is always possible. */
import type { StepUpProof } from '@kalnet/contracts/sign-in'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Fingerprint, Lock, Smartphone } from 'lucide-react'
import { type FormEvent, type ReactNode, useEffect, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogText } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox, Skeleton } from '../ui/parts.tsx'
import { CodeForm } from './code-form.tsx'
import css from './door.module.css'
import { ProveElsewhere } from './prove-elsewhere.tsx'
import { Note, Trouble } from './trouble.tsx'
import { browserHasPasskeys } from './use-passkey.ts'
import { useWait } from './use-wait.ts'

type Method = StepUpProof['method']
const SWITCH: Record<Method, { label: string; icon: ReactNode }> = {
  password: { label: m.stepUpByPassword, icon: <Lock aria-hidden /> },
  totp: { label: m.factorUseTotp, icon: <Smartphone aria-hidden /> },
  passkey: { label: m.factorUsePasskey, icon: <Fingerprint aria-hidden /> },
}
/** A question to the browser works once: each press asks a new one. */
async function passkeyProof(): Promise<StepUpProof | null> {
  const { askPasskey } = await import('./passkey.ts')
  const { passkey } = await call(ROUTES.signIn.stepUpOptions)
  const response = passkey?.available ? await askPasskey(passkey.options) : null
  return response && { method: 'passkey', response }
}

function PasswordForm(props: { pending: boolean; waiting: boolean; onPassword: (password: string) => void }) {
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (password && !props.waiting) props.onPassword(password)
  }
  return (
    <form className={css.form} onSubmit={submit} noValidate>
      <Field
        label={m.stepUpPassword}
        type="password"
        name="password"
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
        problem={tried && !password ? m.passwordMissing : undefined}
        autoFocus
      />
      <Button type="submit" look="primary" wide isPending={props.pending} isDisabled={props.waiting}>
        {m.stepUpConfirm}
      </Button>
    </form>
  )
}

export default function StepUp({ onEnd }: { onEnd: (proved: boolean) => void }) {
  const options = useQuery({
    queryKey: ['step-up'],
    gcTime: 0,
    queryFn: async ({ signal }) => (await call(ROUTES.signIn.stepUpOptions, { signal })).methods,
  })
  const methods = (options.data ?? []).filter((it) => it !== 'passkey' || browserHasPasskeys())
  const [chosen, choose] = useState<Method | null>(null)
  const method = chosen ?? methods[0]
  const prove = useMutation({
    mutationFn: async (given: StepUpProof | null) => {
      const proof = given ?? (await passkeyProof())
      return proof && call(ROUTES.signIn.stepUp, { body: { proof } })
    },
    onSuccess: (answer) => answer && onEnd(true),
  })
  const wait = useWait(prove.error)
  // Signed out meanwhile: there is nothing left to confirm.
  useEffect(
    () =>
      queryClient.getQueryCache().subscribe(({ query }) => {
        if (query.queryKey[0] === 'me' && query.state.data === null) onEnd(false)
      }),
    [onEnd],
  )
  const change = (next: Method) => {
    prove.reset()
    choose(next)
  }
  return (
    <Dialog title={m.stepUpTitle} onClose={() => onEnd(false)}>
      <DialogText>{m.stepUpText}</DialogText>
      {options.isPending && <Skeleton height="112px" />}
      {options.error && <ErrorBox problem={options.error} retry={() => void options.refetch()} />}
      <Trouble
        problem={prove.error}
        wait={wait}
        words={{ 'step-up.wrong': [m.stepUpWrong, m.stepUpWrongNext] }}
      />
      {method === 'password' && (
        <PasswordForm
          pending={prove.isPending}
          waiting={Boolean(wait)}
          onPassword={(password) => prove.mutate({ method: 'password', password })}
        />
      )}
      {method === 'totp' && (
        <CodeForm
          kind="totp"
          wrong={prove.error}
          pending={prove.isPending}
          waiting={Boolean(wait)}
          action={m.stepUpConfirm}
          onCode={(code) => prove.mutate({ method: 'totp', code })}
        />
      )}
      {method === 'passkey' && (
        <div className={css.form}>
          {prove.data === null && <Note title={m.passkeyNone} text={m.passkeyNoneNext} />}
          <Button
            look="primary"
            wide
            icon={<Fingerprint aria-hidden />}
            isPending={prove.isPending}
            onPress={() => prove.mutate(null)}
            autoFocus
          >
            {m.factorUsePasskey}
          </Button>
        </div>
      )}
      <div className={css.others}>
        {methods
          .filter((it) => it !== method)
          .map((it) => (
            <Button key={it} look="plain" wide icon={SWITCH[it].icon} onPress={() => change(it)}>
              {SWITCH[it].label}
            </Button>
          ))}
        {options.data && <ProveElsewhere alone={methods.length === 0} />}
        <Button look="plain" wide onPress={() => onEnd(false)}>
          {m.cancel}
        </Button>
      </div>
    </Dialog>
  )
}
