/** Forgotten password: the same calm words whoever asks; without mail, whom to ask instead. */
import { useMutation, useQuery } from '@tanstack/react-query'
import { ArrowLeft, MailCheck } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Skeleton } from '../ui/parts.tsx'
import { emailProblem } from './checks.ts'
import css from './door.module.css'
import { Door } from './door.tsx'
import { methodsQuery } from './methods.ts'
import { Note, Trouble } from './trouble.tsx'
import { useWait } from './use-wait.ts'

interface ForgotProps {
  email: string
  onEmail: (email: string) => void
  onBack: () => void
}

export default function Forgot({ email, onEmail, onBack }: ForgotProps) {
  const [tried, setTried] = useState(false)
  const methods = useQuery(methodsQuery)
  const ask = useMutation({
    mutationFn: () => call(ROUTES.signIn.askReset, { body: { email: email.trim() } }),
  })
  const wait = useWait(ask.error)
  const problem = emailProblem(email)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!problem && !wait) ask.mutate()
  }
  const leave = (
    <Button look="plain" wide icon={<ArrowLeft aria-hidden />} onPress={onBack}>
      {m.backToSignIn}
    </Button>
  )
  if (ask.isSuccess) {
    return (
      <Door title={m.forgotSentTitle} text={m.forgotSentText(email.trim())}>
        <Note icon={<MailCheck aria-hidden />} text={m.forgotSentHint} />
        {leave}
      </Door>
    )
  }
  if (methods.data?.resetByMail === false) {
    return (
      <Door title={m.forgotTitle} text={m.forgotNoMail}>
        <Note text={m.forgotNoMailOwner} />
        {leave}
      </Door>
    )
  }
  return (
    <Door title={m.forgotTitle} text={m.forgotText}>
      {methods.isPending ? (
        <Skeleton height="120px" />
      ) : (
        <form className={css.form} onSubmit={submit} noValidate>
          <Trouble problem={ask.error} wait={wait} />
          <Field
            label={m.email}
            type="email"
            name="email"
            autoComplete="username"
            value={email}
            onChange={onEmail}
            problem={tried ? problem : undefined}
            autoFocus
          />
          <Button type="submit" look="primary" wide isPending={ask.isPending} isDisabled={Boolean(wait)}>
            {m.forgotSend}
          </Button>
        </form>
      )}
      {leave}
    </Door>
  )
}
