/** The claim link: make the owner and sign in. The token is in the fragment, which browsers never send. */
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useLocation } from 'wouter'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient, statusQuery } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { emailProblem, nameProblem, newPasswordProblem } from './checks.ts'
import css from './door.module.css'
import { Door } from './door.tsx'
import { useEntering } from './entering.ts'
import SecondFactor from './second-factor.tsx'

export default function Claim() {
  const [, go] = useLocation()
  const [token] = useState(() => decodeURIComponent(location.hash.slice(1)))
  const status = useQuery(statusQuery)
  const [name, setName] = useState('')
  const [organisationName, setOrganisationName] = useState('')
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const home = () => go('/', { replace: true })
  const entering = useEntering(null, home)
  const claim = useMutation({
    mutationFn: () =>
      call(ROUTES.identity.claim, {
        body: {
          token,
          name,
          email: email.trim(),
          password,
          organisationName: organisationName.trim() || name,
        },
      }),
    onSuccess: (answer) => {
      void queryClient.invalidateQueries({ queryKey: ['status'] })
      entering.take(answer)
    },
  })

  if (!token) return <Door title={m.claimNoToken} text={m.claimNoTokenText} />
  // An owner who was let back in may still have a second factor.
  if (entering.waiting) {
    return <SecondFactor waiting={entering.waiting} onEntered={entering.take} onOver={home} onBack={home} />
  }
  // Claimed already: the same link form serves `kalnet user reset-owner`.
  const reset = status.data?.claimed === true
  const problems = [
    nameProblem(name),
    reset ? undefined : nameProblem(organisationName),
    emailProblem(email),
    newPasswordProblem(password),
  ] as const
  const shown = (at: 0 | 1 | 2 | 3) => (tried ? problems[at] : undefined)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (problems.every((problem) => !problem)) claim.mutate()
  }
  return (
    <Door title={reset ? m.resetTitle : m.claimTitle} text={reset ? m.resetText : m.claimText}>
      <form className={css.form} onSubmit={submit} noValidate>
        {claim.error && <ErrorBox problem={claim.error} />}
        <Field
          label={m.claimName}
          name="name"
          autoComplete="name"
          maxLength={60}
          value={name}
          onChange={setName}
          problem={shown(0)}
          autoFocus
        />
        {!reset && (
          <Field
            label={m.claimHouse}
            name="organisation"
            autoComplete="organization"
            maxLength={60}
            help={m.claimHouseHelp}
            placeholder={m.claimHouseExample}
            value={organisationName}
            onChange={setOrganisationName}
            problem={shown(1)}
          />
        )}
        <Field
          label={m.email}
          type="email"
          name="email"
          autoComplete="username"
          value={email}
          onChange={setEmail}
          problem={shown(2)}
        />
        <Field
          label={reset ? m.newPassword : m.password}
          type="password"
          name="password"
          autoComplete="new-password"
          help={m.passwordHelp}
          value={password}
          onChange={setPassword}
          problem={shown(3)}
        />
        <Button type="submit" look="primary" wide isPending={claim.isPending}>
          {reset ? m.resetAction : m.claimAction}
        </Button>
      </form>
    </Door>
  )
}
