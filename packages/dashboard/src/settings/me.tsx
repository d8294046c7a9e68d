/** Me: name, password, look, sign out. */

import type { Me } from '@kalnet/contracts/identity'
import { useMutation } from '@tanstack/react-query'
import { LogOut, Monitor, Moon, Sun } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { call, ROUTES } from '../api.ts'
import { nameProblem, newPasswordProblem } from '../identity/checks.ts'
import * as m from '../messages/index.ts'
import { queryClient, useMe } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { chooseLook, type Look, readLook } from '../theme.ts'
import { Ago } from '../ui/ago.tsx'
import { Button } from '../ui/button.tsx'
import { Choice } from '../ui/choice.tsx'
import { Field } from '../ui/field.tsx'
import { Card, ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { Frame } from './frame.tsx'
import css from './settings.module.css'

const ROLES: Record<Me['role'], string> = {
  owner: m.roleOwner,
  admin: m.roleAdmin,
  member: m.roleMember,
  child: m.roleChild,
  guest: m.roleGuest,
}

function Account({ me }: { me: Me }) {
  const [name, setName] = useState(me.name)
  const change = useMutation({
    mutationFn: () => call(ROUTES.identity.changeMe, { body: { name } }),
    onSuccess: (next) => {
      queryClient.setQueryData(['me'], next)
      toast({ tone: 'good', text: m.meSaved })
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!nameProblem(name)) change.mutate()
  }
  return (
    <Card label={m.meAccount}>
      <form className={css.form} onSubmit={submit} noValidate>
        <h2>{m.meAccount}</h2>
        {change.error && <ErrorBox problem={change.error} />}
        <Field
          label={m.meName}
          autoComplete="name"
          maxLength={60}
          value={name}
          onChange={setName}
          problem={nameProblem(name)}
        />
        <dl className={css.facts}>
          <dt>{m.email}</dt>
          <dd>{me.email}</dd>
          <dt>{m.meRole}</dt>
          <dd>{ROLES[me.role]}</dd>
          <dt>{m.meHousehold}</dt>
          <dd>{me.organisationName}</dd>
          {me.signedInAt && (
            <>
              <dt>{m.meSignInSince}</dt>
              <dd>
                <Ago at={me.signedInAt} />
              </dd>
            </>
          )}
        </dl>
        <div>
          <Button
            type="submit"
            look="primary"
            isDisabled={name.trim() === me.name}
            isPending={change.isPending}
          >
            {m.save}
          </Button>
        </div>
      </form>
    </Card>
  )
}

function Password() {
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [tried, setTried] = useState(false)
  const change = useMutation({
    mutationFn: async () => {
      await call(ROUTES.signIn.stepUp, { body: { proof: { method: 'password', password: current } } })
      await call(ROUTES.identity.setPassword, { body: { password: next } })
    },
    onSuccess: () => {
      setCurrent('')
      setNext('')
      setTried(false)
      toast({ tone: 'good', text: m.mePasswordSaved })
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (current && !newPasswordProblem(next)) change.mutate()
  }
  return (
    <Card label={m.mePassword}>
      <form className={css.form} onSubmit={submit} noValidate>
        <h2>{m.mePassword}</h2>
        {change.error && <ErrorBox problem={change.error} />}
        <Field
          label={m.mePasswordCurrent}
          type="password"
          autoComplete="current-password"
          value={current}
          onChange={setCurrent}
          problem={tried && !current ? m.passwordMissing : undefined}
        />
        <Field
          label={m.newPassword}
          type="password"
          autoComplete="new-password"
          help={m.passwordHelp}
          value={next}
          onChange={setNext}
          problem={tried ? newPasswordProblem(next) : undefined}
        />
        <div>
          <Button type="submit" isPending={change.isPending}>
            {m.mePasswordChange}
          </Button>
        </div>
      </form>
    </Card>
  )
}

function LookCard() {
  const [look, setLook] = useState<Look>(readLook)
  return (
    <Card label={m.meLook}>
      <Choice
        label={m.meLook}
        value={look}
        options={[
          { value: 'auto', label: m.lookAuto, icon: <Monitor aria-hidden /> },
          { value: 'light', label: m.lookLight, icon: <Sun aria-hidden /> },
          { value: 'dark', label: m.lookDark, icon: <Moon aria-hidden /> },
        ]}
        onChange={(next) => {
          setLook(next)
          chooseLook(next)
        }}
      />
    </Card>
  )
}

export default function MePage() {
  const me = useMe()
  const signOut = useMutation({
    mutationFn: () => call(ROUTES.identity.signOut),
    onSuccess: () => {
      // Nothing that this person saw stays behind for the next one at this device: off the screen now, out of memory with the page.
      queryClient.setQueryData(['me'], null)
      location.assign('/')
    },
    onError: tellProblem,
  })
  return (
    <Frame
      here="me"
      title={m.meTitle}
      text={m.meText}
      action={
        <Button icon={<LogOut aria-hidden />} isPending={signOut.isPending} onPress={() => signOut.mutate()}>
          {m.signOut}
        </Button>
      }
    >
      <div className={css.columns}>
        <Account me={me} />
        <div className={css.stack}>
          <LookCard />
          <Password />
        </div>
      </div>
    </Frame>
  )
}
