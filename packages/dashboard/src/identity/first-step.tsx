/** E-mail and password; a passkey by its button or from the e-mail field; other providers. */
import type { Entered } from '@kalnet/contracts/identity'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Fingerprint } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { emailProblem } from './checks.ts'
import css from './door.module.css'
import { Door } from './door.tsx'
import { methodsQuery } from './methods.ts'
import { Providers, ProviderTrouble } from './providers.tsx'
import { Note, Trouble } from './trouble.tsx'
import { browserHasPasskeys, usePasskey } from './use-passkey.ts'
import { useWait } from './use-wait.ts'

interface FirstStepProps {
  email: string
  onEmail: (email: string) => void
  /** The step after this one took too long. */
  over: boolean
  onEntered: (answer: Entered) => void
  onForgot: () => void
}

export function FirstStep({ email, onEmail, over, onEntered, onForgot }: FirstStepProps) {
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const methods = useQuery(methodsQuery)
  const passkeys = methods.data?.passkey.available === true && browserHasPasskeys()
  const passkey = usePasskey(passkeys, onEntered)
  const signIn = useMutation({
    mutationFn: () => call(ROUTES.identity.signIn, { body: { email: email.trim(), password } }),
    onSuccess: onEntered,
  })
  const problem = signIn.error ?? passkey.refused
  const wait = useWait(problem)
  const problems = { email: emailProblem(email), password: password ? undefined : m.passwordMissing }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!problems.email && !problems.password && !wait) signIn.mutate()
  }
  return (
    <Door title={m.signInTitle} text={m.signInText}>
      <form className={css.form} onSubmit={submit} noValidate>
        {!over && !signIn.error && <ProviderTrouble />}
        {over && !problem && <Note title={m.beginAgain} text={m.beginAgainNext} />}
        <Trouble problem={problem} wait={wait} />
        <Field
          label={m.email}
          type="email"
          name="email"
          autoComplete="username webauthn"
          value={email}
          onChange={onEmail}
          problem={tried ? problems.email : undefined}
          autoFocus={!email}
        />
        <div className={css.withLink}>
          <Field
            label={m.password}
            type="password"
            name="password"
            autoComplete="current-password"
            value={password}
            onChange={setPassword}
            problem={tried ? problems.password : undefined}
            autoFocus={Boolean(email)}
          />
          <button type="button" className={css.link} onClick={onForgot}>
            {m.forgot}
          </button>
        </div>
        <Button type="submit" look="primary" wide isPending={signIn.isPending} isDisabled={Boolean(wait)}>
          {m.signIn}
        </Button>
      </form>
      {passkeys && (
        <div className={css.others}>
          <p className={css.or}>{m.orElse}</p>
          {passkey.declined && <Note title={m.passkeyNone} text={m.passkeyNoneNext} />}
          <Button
            wide
            icon={<Fingerprint aria-hidden />}
            isPending={passkey.byButton.isPending}
            onPress={() => passkey.byButton.mutate()}
          >
            {m.passkeySignIn}
          </Button>
        </div>
      )}
      <Providers divided={!passkeys} />
    </Door>
  )
}
