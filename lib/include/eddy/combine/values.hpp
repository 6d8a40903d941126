#pragma once

#include <eddy/config.hpp>

namespace eddy { inline namespace EDDY_ABI {

/// The values of several awaits: `auto [a, b] = co_await eddy::join(f(), g());`. A plain aggregate, written
/// out, because compilers take structured bindings of an await apart rightly only then.
template <class... T>
struct values;

template <>
struct values<> {};
template <class A>
struct values<A> {
  A a;
};
template <class A, class B>
struct values<A, B> {
  A a;
  B b;
};
template <class A, class B, class C>
struct values<A, B, C> {
  A a;
  B b;
  C c;
};
template <class A, class B, class C, class D>
struct values<A, B, C, D> {
  A a;
  B b;
  C c;
  D d;
};
template <class A, class B, class C, class D, class E>
struct values<A, B, C, D, E> {
  A a;
  B b;
  C c;
  D d;
  E e;
};
template <class A, class B, class C, class D, class E, class F>
struct values<A, B, C, D, E, F> {
  A a;
  B b;
  C c;
  D d;
  E e;
  F f;
};
template <class A, class B, class C, class D, class E, class F, class G>
struct values<A, B, C, D, E, F, G> {
  A a;
  B b;
  C c;
  D d;
  E e;
  F f;
  G g;
};
template <class A, class B, class C, class D, class E, class F, class G, class H>
struct values<A, B, C, D, E, F, G, H> {
  A a;
  B b;
  C c;
  D d;
  E e;
  F f;
  G g;
  H h;
};
template <class A, class B, class C, class D, class E, class F, class G, class H, class I>
struct values<A, B, C, D, E, F, G, H, I> {
  A a;
  B b;
  C c;
  D d;
  E e;
  F f;
  G g;
  H h;
  I i;
};
template <class A, class B, class C, class D, class E, class F, class G, class H, class I, class J>
struct values<A, B, C, D, E, F, G, H, I, J> {
  A a;
  B b;
  C c;
  D d;
  E e;
  F f;
  G g;
  H h;
  I i;
  J j;
};
template <class A, class B, class C, class D, class E, class F, class G, class H, class I, class J,
          class K>
struct values<A, B, C, D, E, F, G, H, I, J, K> {
  A a;
  B b;
  C c;
  D d;
  E e;
  F f;
  G g;
  H h;
  I i;
  J j;
  K k;
};
template <class A, class B, class C, class D, class E, class F, class G, class H, class I, class J,
          class K, class L>
struct values<A, B, C, D, E, F, G, H, I, J, K, L> {
  A a;
  B b;
  C c;
  D d;
  E e;
  F f;
  G g;
  H h;
  I i;
  J j;
  K k;
  L l;
};

}}  // namespace eddy::EDDY_ABI
