// Package oktasim is a simulated Okta organization: stateful, over HTTP(S), and
// stricter than Okta wherever Okta's behaviour is not known. Tests, benchmarks, the
// demo and users' own CI take it for the truth. It refuses to know the operator: it
// imports nothing of it.
//
// # What is simulated
//
// The well-known organization document and the clientPrivilegesSetting; users, as far
// as they can be read; groups and their members; the authenticators of the org and the
// factors users enrol in: push, text message, mail, codes of Okta Verify and Google
// Authenticator, security keys. Users are made, changed and deleted by a test, and so is
// the person's part in a factor done.
//
// OIDC apps with their secrets and public keys; custom authorization servers with
// scopes, access policies and rules; the token endpoints of the org (private_key_jwt,
// okta.* scopes) and of custom servers (client_credentials, authorization_code), with
// keys, discovery, introspection and revocation. Assertions and DPoP proofs are verified
// and tokens are signed.
//
// Also what decides who may sign in: the org's own policies (ACCESS_POLICY, MFA_ENROLL,
// OKTA_SIGN_ON; those for passwords to be read) with their rules, which app is under
// which policy, network zones of IP addresses and device assurances. SignIn asks them
// what they mean for a person, and may give an authorization code that the app redeems
// for a token of that person; the client's network is held to as well.
//
// And custom admin roles with their permissions, resource sets of users, groups, apps and
// authorization servers, and the bindings that assign a role over a set to users and
// groups. What an admin may do by them is not held against what anybody does.
//
// Whatever happens leaves the events of the System Log that Okta would write, whether by a
// request or by a test that stands for a person or an admin; package eventlog keeps them.
//
// Rate limits, concurrency limits, the scopes of each operation, paging and errors are
// Okta's. A request for anything else is an error, and is told by Unknown.
//
// Where the description of Okta's API leaves a choice:
//
//   - On the Classic Engine the authenticators API answers 401 E0000015, as recorded
//     orgs do for features they have not licensed. 501 E0000060 is recorded only where
//     an Identity Engine org would not deactivate an authenticator. Factors are the same
//     on both engines.
//   - The time for a push is the ten minutes of Okta's example, and for a code the five
//     of tokenLifetimeSeconds. A push whose time is over stays pending: its poll link
//     answers TIMEOUT, and lifecycle/activate begins the time again, which before
//     does no more than poll. Enrolling again replaces a pending factor, whose id is then
//     gone.
//   - Completing a push makes Okta Verify's codes active as well, since unenrolling the
//     push unenrols them.
//   - A phone number outlives its sms factor, unless removeRecoveryEnrollment is said or
//     updatePhone replaces it. The texts of refused enrolments are those of Okta's older
//     reference, the code of a phone number that is none is E0000098.
//   - The factors of a user who is SUSPENDED or DEPROVISIONED can be read, and changing
//     them is refused with 403 E0000038, like making a DEPROVISIONED user a member.
//   - A factor that does not exist is an unknown UserFactor in the text of the 404.
//   - The enrollment policy of a user is the first active one for a group of theirs, the
//     system's at the end. Its rules are not asked: they tell when people are prompted,
//     and Okta holds their networks against the caller's address. Okta also wants the
//     conditions of one rule to be met, so a policy without rules applies here only.
//   - The system's enrollment policy makes every authenticator OPTIONAL, also one that is
//     switched on later; in other policies, what was not named stays NOT_ALLOWED.
//     Policies show the authenticators that are ACTIVE.
//   - A factor that the policy does not allow any more is not listed, and is kept: it
//     works again once it is allowed.
//
// # What is stricter than Okta
//
//   - Unknown body fields, query and form parameters are refused; Okta ignores most.
//   - Lifecycle operations on an object that is in that state already are refused.
//   - A scope ending in .manage does not let its holder read.
//   - Token requests take their parameters from the body only.
//   - The audience of a client assertion is the token endpoint's URL and nothing else,
//     and it must name its key.
//   - A scope that a rule names cannot be deleted; a scope cannot be renamed.
//   - An authorization server must be deactivated before it can be deleted; two servers
//     may have the same name, so that a name protects nobody from making twins.
//   - A token request without scopes is refused even where scopes are the default.
//   - A client that revokes a token of another is told so; who is told nothing might
//     believe it.
//   - A rule applies to client_credentials only when it is for EVERYONE.
//   - Policies of the org may have the same name, as recorded; the rules of one policy,
//     zones and device assurances may not.
//   - The status in the body of a policy or a rule is not looked at, as recorded. A zone
//     is made ACTIVE, and a replacement of it must not say another status than it has.
//   - A rule of an app sign-in policy that is sent without a priority becomes the last
//     one before the catch-all rule, also when it had one before.
//   - An app sign-in policy cannot be deleted while an app is mapped to it, and a service
//     app cannot be mapped: nobody signs in to it.
//   - A zone cannot be deleted while a rule or a client's network names it.
//   - Of a rule's people, groups and users must both match where both are included, and
//     managed: false is for devices that are not managed.
//   - Two factors are of two classes: what is known, owned, or a fingerprint or PIN that
//     webauthn and fastpass ask for.
//   - An enrollment policy cannot name an authenticator that is INACTIVE.
//   - Nobody signs in, or redeems a code, who is not ACTIVE, nor with a factor that is
//     pending or that the enrollment policy does not allow. Everybody has a password,
//     and FastPass comes with a push; security questions and calls cannot be enrolled.
//   - A rule with an expression lets nobody in: expressions are not evaluated.
//   - Proofs of possession must have a nonce of the org, and are for clients only that
//     are registered for them.
//   - Users are filtered and searched by a few properties, without parentheses, sorting
//     and times; q, filter and search exclude each other.
//   - What is below a user takes the user's id, not a login.
//   - What activates a pending factor (QR code, shared secret, expiry) stands in the
//     answer to its enrolment and nowhere else.
//   - A user has one factor of each kind, security keys included, and one phone, whose
//     number must be sent, in E.164, even when it is on file.
//   - Parameters that Okta ignores for a type of factor (activate, updatePhone,
//     removeRecoveryEnrollment) are refused for it.
//   - Five attempts at activation in five minutes are a user's, whatever the factor.
//   - Security keys cannot be activated by attestation, and the code of an app does not
//     follow from its shared secret: CompleteFactor and FactorCode stand for the person.
//   - Messages cannot be sent again but by enrolling again; verifying factors, resend and
//     the links that mail or text a push are not there.
//   - Two requests at once that change the priorities below one parent: 423.
//   - A custom admin role or a resource set cannot be deleted while a binding has it, nor
//     lose its last permission or resource; a permission, resource or member that is there
//     cannot be added again. Okta says of neither what it does.
//   - Labels of roles and sets have 100 characters at most, descriptions 255. Permissions
//     are those of Okta's catalogue for custom roles, without conditions.
//   - A binding goes with its last member, and members go with the user or the group.
//   - The people of a group are the resource groups:{id}:contained_resources.
//
// On the Classic Engine (Options.Classic), requests for app sign-in policies, mappings
// and device assurances are answered with 401 E0000015, as dynamic zones are recorded
// to be in an org that has them not. Okta's answer to these is not known. An org that
// moves to the Identity Engine (the setting classic) keeps its enrollment policies, which
// go on to name factors, as Okta says of migrated orgs.
//
// # The System Log
//
// No recording of it was at hand, so that it follows Okta's description, its reference of
// before and its catalogue of event types. What these leave open:
//
//   - Every change of an app is two events, application.lifecycle and
//     app.oauth2.client.lifecycle. Whether Okta writes both for each is not known.
//   - A token that is granted is grant.access_token alone, and one that is refused the
//     event without that ending, with OAuth's error as the reason. The client is the
//     actor, a PublicClientApp. The targets are the token, by its jti and a digest, and the
//     authorization server.
//   - Groups that change leave group.profile.update; an app that is mapped to a policy
//     leaves application.policy.sign_on.update; a user who is activated again
//     user.lifecycle.reactivate, and one who is STAGED again user.account.update_profile.
//   - Authorization servers' policies and rules leave the same types as the org's.
//   - A factor that is pending leaves only the message with its code, and the mail that
//     invites to set up a push is system.email.send_factor_verify_message.
//   - Secrets and keys are OAuth2ClientSecret and OAuth2ClientJsonWebKey; the types of
//     targets other than AppInstance, User, UserGroup, PolicyEntity, PolicyRule,
//     AuthenticatorEnrollment and access_token are made up.
//   - What is below something names that too, itself first: a rule, its policy, its server.
//   - A person who shows less than a rule wants gets the outcome CHALLENGE, one whom a rule
//     denies, or whom none is for, DENY. The reason is the Decision's.
//   - Limits are told once a window for each bucket: at 90 percent, and when a request
//     is refused, also when only a principal's share is used up. A 429 of a fault is not
//     told. Requests in flight are told once a minute.
//   - What an API token does is done by an admin who is no user of the org, like what the
//     Admin methods do. The severity is WARN for what fails and for limits, otherwise INFO.
//   - legacyEventType, geographical contexts and what concerns the network are null, and
//     changeDetails are not told.
//   - Requests that are refused leave nothing, apart from those for tokens and those over
//     a limit; neither does clientPrivilegesSetting, of which the catalogue has nothing.
//     app.oauth2.invalid_client_credentials and system.org.rate_limit.burst are not written.
//
// Requests with until, or DESCENDING, are bounded, from since to until, both included, as
// Okta wants both to be there; the others poll. What is stricter than Okta:
//
//   - A cursor is sealed, and good for the same query only, limit included. One that is
//     not is E0000001, as are other values that a parameter cannot have: which code Okta has
//     for it is not known. Okta says that since and after exclude each other, and shows
//     links with both: they are as good together as the link that has them.
//   - A time that is none is E0000030, as reported, not E0000001, as documented. Parameters
//     that are empty, and a since in the future or after until, are refused.
//   - Filters know the properties of eventlog, compare them case by case, and have no ne
//     for targets, of which there may be several; others are E0000053, orderings of text
//     E0000031. Keywords must be whole words.
//   - Answers never take 30 seconds; a Slow fault does.
//
// # What is missing
//
// Chains of authentication methods, behaviors, identity providers, signals of third
// parties, dynamic zones, enrollment rules for apps, ID tokens and refresh tokens.
//
// # The control API
//
// For an org that runs as a process of its own (cmd/oktasim), JSON under /_sim/:
//
//	GET    /_sim/healthz     {"status":"ok"}
//	GET    /_sim/operations  every request so far, a list of Operation
//	GET    /_sim/unknown     what was asked for that this API does not have
//	GET    /_sim/state       State
//	POST   /_sim/faults      a Fault; durations in nanoseconds
//	DELETE /_sim/faults      disarms all faults
//	POST   /_sim/settings    limits, principalShare, concurrency, noAPIAccessManagement,
//	                         clientsGetSuperAdmin, listLag, getLag (nanoseconds),
//	                         classic, authenticators (the keys of those that are on),
//	                         log (a LogTrouble, which replaces the one before)
//	POST   /_sim/users       a NewUser, of which the login is enough:
//	                         {"login":"jane@example.com"} gives {"id":"00u…"}
//	PATCH  /_sim/users       {"user":"id or login","status":"SUSPENDED","mobilePhone":"+1…"}
//	DELETE /_sim/users       ?user=id or login
//	POST   /_sim/factors/complete  {"user":"id or login","factorID":"…"}, without a
//	                         factorID the pending push
//	POST   /_sim/factors/code      the same gives {"code":"…"}, without a factorID that
//	                         of the last text message
//	POST   /_sim/signin      an Attempt gives a Decision
//	POST   /_sim/logs        a LogBatch, of which type is enough, and how many:
//	                         {"count":1000,"type":"user.session.start"}
//	GET    /_sim/logledger   what has been persisted, a list of LogRecord; ?after=seq and
//	                         &limit= for a part of it
//
// All clients of a test come from one machine, so a token request may say in the header
// X-Sim-Client-IP where it comes from.
//
// Requests to it are neither counted nor logged.
package oktasim
