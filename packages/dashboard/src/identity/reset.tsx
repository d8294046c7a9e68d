/** A new password by the link of a letter or of a steward. The token is in the fragment, which browsers never send. */
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useLocation } from 'wouter'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { newPasswordProblem } from './checks.ts'
import css from './door.module.css'
import { Door } from './door.tsx'
import { useEntering } from './entering.ts'
import SecondFactor from './second-factor.tsx'
import { Trouble } from './trouble.tsx'
import { useWait } from './use-wait.ts'

export default function Reset() {
  const [, go] = useLocation()
  const [token] = useState(() => decodeURIComponent(location.hash.slice(1)))
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const home = () => go('/', { replace: true })
  const entering = useEntering(null, home)
  const set = useMutation({
    mutationFn: () => call(ROUTES.signIn.useReset, { body: { token, password } }),
    onSuccess: entering.take,
  })
  const wait = useWait(set.error)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!newPasswordProblem(password) && !wait) set.mutate()
  }
  if (!token) {
    return (
      <Door title={m.resetNoToken} text={m.resetNoTokenText}>
        <LinkButton href="/" wide>
          {m.backToSignIn}
        </LinkButton>
      </Door>
    )
  }
  if (entering.waiting) {
    return <SecondFactor waiting={entering.waiting} onEntered={entering.take} onOver={home} onBack={home} />
  }
  return (
    <Door title={m.setPasswordTitle} text={m.setPasswordText}>
      <form className={css.form} onSubmit={submit} noValidate>
        <Trouble problem={set.error} wait={wait} />
        <Field
          label={m.newPassword}
          type="password"
          name="password"
          autoComplete="new-password"
          help={m.passwordHelp}
          value={password}
          onChange={setPassword}
          problem={tried ? newPasswordProblem(password) : undefined}
          autoFocus
        />
        <Button type="submit" look="primary" wide isPending={set.isPending} isDisabled={Boolean(wait)}>
          {m.setPasswordAction}
        </Button>
      </form>
    </Door>
  )
}
