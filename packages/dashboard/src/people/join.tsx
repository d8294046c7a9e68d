/** An invitation opened, most often on a phone: who invites to what, a name, a password, in. The token is in the fragment. */

import type { invitationRoutes } from '@kalnet/contracts/invitation'
import type { AnswerOf } from '@kalnet/contracts/route'
import { useMutation, useQuery } from '@tanstack/react-query'
import { House } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { ApiProblem, call, ROUTES } from '../api.ts'
import { moment } from '../format.ts'
import { emailProblem, nameProblem, newPasswordProblem } from '../identity/checks.ts'
import css from '../identity/door.module.css'
import { Door } from '../identity/door.tsx'
import * as m from '../messages/index.ts'
import { meQuery, queryClient } from '../queries.ts'
import { Splash } from '../shell/splash.tsx'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import own from './people.module.css'
import { ROLE_DOES, ROLE_WORDS } from './words.ts'

type Looked = AnswerOf<typeof invitationRoutes.look>

function JoinForm({ token, invitation }: { token: string; invitation: Looked }) {
  const [, go] = useLocation()
  const { data: me } = useQuery(meQuery)
  const [name, setName] = useState('')
  const [address, setAddress] = useState('')
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const { organisation, invitedBy, role, email } = invitation
  const word = ROLE_WORDS[organisation.kind][role]
  const join = useMutation({
    mutationFn: () =>
      call(ROUTES.invitations.accept, {
        body: { token, name, password, ...(email === null && { email: address.trim() }) },
      }),
    onSuccess: (answer) => {
      queryClient.clear()
      if (answer.state === 'signed-in') queryClient.setQueryData(['me'], answer.me)
      go('/', { replace: true })
    },
  })
  const problems = {
    name: nameProblem(name),
    email: email === null ? emailProblem(address) : undefined,
    password: newPasswordProblem(password),
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (Object.values(problems).every((problem) => !problem)) join.mutate()
  }
  return (
    <Door
      title={m.joinTitle(organisation.name)}
      text={
        invitedBy ? m.joinText(invitedBy, organisation.name, word) : m.joinTextAlone(organisation.name, word)
      }
    >
      <div className={own.joinHead}>
        <House aria-hidden />
        <div>
          <strong>{word}</strong>
          <p className={own.quiet}>{ROLE_DOES[role]}</p>
        </div>
      </div>
      {me && <p className={own.quiet}>{m.joinHere(me.name)}</p>}
      <form className={css.form} onSubmit={submit} noValidate>
        {join.error && <ErrorBox problem={join.error} />}
        <Field
          label={m.joinName}
          name="name"
          autoComplete="name"
          maxLength={60}
          help={m.joinNameHelp}
          value={name}
          onChange={setName}
          problem={tried ? problems.name : undefined}
          autoFocus
        />
        <Field
          label={m.email}
          type="email"
          name="email"
          autoComplete="username"
          isReadOnly={email !== null}
          value={email ?? address}
          onChange={setAddress}
          problem={tried ? problems.email : undefined}
        />
        <Field
          label={m.joinPassword}
          type="password"
          name="password"
          autoComplete="new-password"
          help={m.passwordHelp}
          value={password}
          onChange={setPassword}
          problem={tried ? problems.password : undefined}
        />
        <Button type="submit" look="primary" wide isPending={join.isPending}>
          {m.joinAction}
        </Button>
      </form>
      <p className={own.quiet}>{m.joinUntil(moment(invitation.expiresAt))}</p>
    </Door>
  )
}

const ToSignIn = () => (
  <Link href="/" className={own.joinLink}>
    {m.joinSignIn}
  </Link>
)

export default function Join() {
  const [token] = useState(() => decodeURIComponent(location.hash.slice(1)))
  const { data, error, refetch } = useQuery({
    queryKey: ['invitation', token],
    enabled: token !== '',
    // A used one must not look good for a while longer.
    gcTime: 0,
    queryFn: ({ signal }) => call(ROUTES.invitations.look, { body: { token }, signal }),
  })
  if (!token)
    return (
      <Door title={m.joinNone} text={m.joinNoToken}>
        <ToSignIn />
      </Door>
    )
  if (error instanceof ApiProblem && error.code === 'invitation.unknown')
    return (
      <Door title={m.joinNone} text={m.joinNoneText}>
        <ToSignIn />
      </Door>
    )
  if (data) return <JoinForm token={token} invitation={data} />
  return <Splash>{error && <ErrorBox problem={error} retry={() => void refetch()} />}</Splash>
}
