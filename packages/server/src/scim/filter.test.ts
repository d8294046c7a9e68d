/** Filters: the examples of RFC 7644 figure 1 and table 2, precedence, case, quotation marks, and what cannot be read. */
import { KalnetError } from '@kalnet/contracts/errors'
import { describe, expect, it } from 'vitest'
import { matches, parseFilter } from './filter.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const bjensen = {
  id: 'AbC',
  externalId: 'Ext',
  userName: 'bjensen',
  name: { familyName: "O'Malley", givenName: 'Barbara' },
  title: 'Tour "Guide"',
  userType: 'Employee',
  active: true,
  emails: [
    { type: 'work', value: 'bjensen@example.com', primary: true },
    { type: 'home', value: 'babs@jensen.org' },
  ],
  ims: [{ type: 'xmpp', value: 'someaimhandle@foo.com' }],
  [ENTERPRISE]: { employeeNumber: '701984', department: 'Tour' },
  meta: { resourceType: 'User', lastModified: '2011-05-13T04:42:34Z' },
}

const cases: [string, boolean][] = [
  // RFC 7644 §3.4.2.2, in its order
  ['userName eq "bjensen"', true],
  ['name.familyName co "O\'Malley"', true],
  ['userName sw "J"', false],
  ['urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"', false],
  ['title pr', true],
  ['meta.lastModified gt "2011-05-13T04:42:34Z"', false],
  ['meta.lastModified ge "2011-05-13T04:42:34Z"', true],
  ['meta.lastModified lt "2011-05-13T04:42:34Z"', false],
  ['meta.lastModified le "2011-05-13T04:42:34Z"', true],
  ['title pr and userType eq "Employee"', true],
  ['title pr or userType eq "Intern"', true],
  ['schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"', false],
  ['userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")', true],
  ['userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")', false],
  ['userType eq "Employee" and (emails.type eq "work")', true],
  ['userType eq "Employee" and emails[type eq "work" and value co "@example.com"]', true],
  ['emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]', true],
  // Precedence, negation, case
  ['userName eq "x" and title pr or active eq true', true],
  ['userName eq "x" and (title pr or active eq true)', false],
  ['not (userName eq "x" and title eq "y")', true],
  ['not (userName eq "bjensen" and active eq false)', true],
  ['not (userName eq "bjensen" or active eq false)', false],
  ['not(userName eq "bjensen")', false],
  ['USERNAME EQ "BJENSEN"', true],
  ['id eq "abc"', false],
  ['id eq "AbC"', true],
  ['externalId eq "ext"', false],
  ['emails[type eq "home" and value co "@example.com"]', false],
  ['emails.type ne "work"', true],
  ['title eq "Tour \\"Guide\\""', true],
  ['title ew "guide\\""', true],
  ['userName eq "a and b"', false],
  [`${ENTERPRISE}:employeeNumber eq "701984"`, true],
  [`${ENTERPRISE}:employeeNumber eq "1"`, false],
  ['active eq true', true],
  ['active ne true', false],
  ['nickName pr', false],
  ['nickName eq null', true],
  ['nickName ne "x"', true],
  ['meta.lastModified gt "2011-05-13T00:00:00+00:00"', true],
  ['unheardOf eq "x"', false],
]

describe('[IDN-2.scim] filters', () => {
  it.each(cases)('%s: %s', (text, expected) => {
    expect(matches(parseFilter(text), bjensen)).toBe(expected)
  })
  it.each([
    '',
    ' ',
    'userName',
    'userName zz "x"',
    'userName eq',
    'userName eq "x',
    'userName eq x',
    'userName eq {}',
    '(userName eq "x"',
    'userName eq "x")',
    'emails[type eq "x"',
    'userName eq "x" and',
    'and userName pr',
    'not userName eq "x"',
    'user name eq "x"',
    '1a eq "x"',
    'http://a:b eq "x"',
    `${'('.repeat(60)}userName pr${')'.repeat(60)}`,
  ])('%s is refused as invalidFilter', (text) => {
    let code: unknown
    try {
      parseFilter(text)
    } catch (error) {
      code = error instanceof KalnetError ? error.details.scimType : error
    }
    expect(code).toBe('invalidFilter')
  })
  it('true and false have no order', () => {
    expect(() => matches(parseFilter('active gt true'), bjensen)).toThrow(/not possible/)
  })
})
