/** Sign in with e-mail and password; before anybody has claimed this Kalnet, say how that is done. */
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient, statusQuery } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { emailProblem } from './checks.ts'
import css from './door.module.css'
import { Door } from './door.tsx'

export default function SignIn() {
  const status = useQuery(statusQuery)
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const signIn = useMutation({
    mutationFn: () => call(ROUTES.identity.signIn, { body: { email: email.trim(), password } }),
    onSuccess: (answer) => {
      if (answer.state === 'signed-in') queryClient.setQueryData(['me'], answer.me)
    },
  })
  if (status.data?.claimed === false) return <Door title={m.signInUnclaimed} text={m.signInUnclaimedText} />

  const problems = { email: emailProblem(email), password: password ? undefined : m.passwordMissing }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!problems.email && !problems.password) signIn.mutate()
  }
  return (
    <Door title={m.signInTitle} text={m.signInText}>
      <form className={css.form} onSubmit={submit} noValidate>
        {signIn.error && <ErrorBox problem={signIn.error} />}
        <Field
          label={m.email}
          type="email"
          name="email"
          autoComplete="username"
          value={email}
          onChange={setEmail}
          problem={tried ? problems.email : undefined}
          autoFocus
        />
        <Field
          label={m.password}
          type="password"
          name="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
          problem={tried ? problems.password : undefined}
        />
        <Button type="submit" look="primary" wide isPending={signIn.isPending}>
          {m.signIn}
        </Button>
      </form>
    </Door>
  )
}
