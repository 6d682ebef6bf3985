// The phased agenda on the real kernel.
#include "agenda/agenda.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/systemc_test.h"
#include "trnsim/base/error.h"

namespace trnsim::models {
namespace {

// Calls a function at each wake-up.
class Unit final : public Wakeable {
 public:
  using Action = std::function<void(Femtos, Phase)>;
  explicit Unit(Action action) : action_(std::move(action)) {}
  void wake(Femtos now, Phase phase) override { action_(now, phase); }

 private:
  Action action_;
};

class AgendaTest : public test::SystemCTest {
 protected:
  void SetUp() override {
    SystemCTest::SetUp();
    agenda_ = std::make_unique<Agenda>("agenda");
  }
  void TearDown() override {
    agenda_.reset();
    SystemCTest::TearDown();
  }
  // Schedules a unit that appends `text` to log_.
  void note(std::uint64_t when, Phase phase, UnitId id, const std::string& text) {
    units_.push_back(std::make_unique<Unit>([this, text](Femtos, Phase) { log_.push_back(text); }));
    agenda_->at(Femtos{when}, phase, id, units_.back().get());
  }
  Unit* unit(Unit::Action action) {
    units_.push_back(std::make_unique<Unit>(std::move(action)));
    return units_.back().get();
  }
  [[nodiscard]] std::string failure_text() const {
    try {
      std::rethrow_exception(agenda_->failure());
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  std::unique_ptr<Agenda> agenda_;
  std::vector<std::unique_ptr<Unit>> units_;
  std::vector<std::string> log_;
};

TEST_F(AgendaTest, OrdersByTimeThenPhaseThenUnit) {
  struct Item {
    std::uint64_t when;
    Phase phase;
    UnitId id;
    const char* text;
  };
  std::vector<Item> items{{5, Phase::kComplete, 1, "a"},  {5, Phase::kComplete, 2, "b"},
                          {5, Phase::kIssue, 0, "c"},     {5, Phase::kIssue, 9, "d"},
                          {5, Phase::kArbitrate, 0, "e"}, {6, Phase::kComplete, 0, "f"},
                          {900, Phase::kIssue, 3, "g"}};
  // Neither order of insertion nor its reverse may matter.
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item& item = items[(i * 3) % items.size()];
    note(item.when, item.phase, item.id, item.text);
  }
  sc_core::sc_start();
  EXPECT_EQ(log_, (std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g"}));
  EXPECT_EQ(agenda_->wakeups(), 7U);
  EXPECT_EQ(agenda_->now(), Femtos{900});
}

TEST_F(AgendaTest, TakesEntriesEarlierThanThePendingOne) {
  note(1000, Phase::kIssue, 0, "late");
  Unit* pusher =
      unit([this](Femtos now, Phase) { note(now.count + 5, Phase::kIssue, 2, "early"); });
  agenda_->at(Femtos{10}, Phase::kIssue, 1, pusher);
  sc_core::sc_start();
  EXPECT_EQ(log_, (std::vector<std::string>{"early", "late"}));
}

TEST_F(AgendaTest, TakesALaterPhaseOfTheSameInstant) {
  Unit* first = unit([this](Femtos now, Phase) { note(now.count, Phase::kArbitrate, 0, "later"); });
  agenda_->at(Femtos{10}, Phase::kIssue, 7, first);
  sc_core::sc_start();
  EXPECT_EQ(log_, (std::vector<std::string>{"later"}));
  EXPECT_EQ(agenda_->failure(), nullptr);
}

TEST_F(AgendaTest, RefusesAnEarlierPhaseOfTheSameInstant) {
  Unit* first = unit([this](Femtos now, Phase) { note(now.count, Phase::kComplete, 0, "back"); });
  agenda_->at(Femtos{10}, Phase::kIssue, 7, first);
  sc_core::sc_start();
  EXPECT_TRUE(log_.empty());
  ASSERT_NE(agenda_->failure(), nullptr);
  EXPECT_THROW(std::rethrow_exception(agenda_->failure()), InternalError);
}

TEST_F(AgendaTest, RefusesThePast) {
  Unit* first = unit([this](Femtos now, Phase) { note(now.count - 1, Phase::kIssue, 0, "past"); });
  agenda_->at(Femtos{10}, Phase::kIssue, 7, first);
  sc_core::sc_start();
  EXPECT_TRUE(log_.empty());
  ASSERT_NE(agenda_->failure(), nullptr);
  EXPECT_NE(failure_text().find("unit 0 asked for 9 fs"), std::string::npos) << failure_text();
}

TEST_F(AgendaTest, KeepsTheTypeOfAnExceptionAndStopsThere) {
  Unit* thrower = unit([](Femtos, Phase) { throw Error("broken", {}, "mend it"); });
  agenda_->at(Femtos{10}, Phase::kIssue, 0, thrower);
  note(10, Phase::kIssue, 1, "after");
  note(20, Phase::kIssue, 1, "after");
  sc_core::sc_start();
  EXPECT_TRUE(log_.empty());
  ASSERT_NE(agenda_->failure(), nullptr);
  EXPECT_THROW(std::rethrow_exception(agenda_->failure()), Error);
}

TEST_F(AgendaTest, NoticesThatTimeStandsStill) {
  Unit* stuck = nullptr;
  stuck = unit([&](Femtos now, Phase) { agenda_->at(now, Phase::kIssue, 0, stuck); });
  agenda_->at(Femtos{10}, Phase::kIssue, 0, stuck);
  sc_core::sc_start();
  ASSERT_NE(agenda_->failure(), nullptr);
  EXPECT_NE(failure_text().find("time stands still at 10 fs"), std::string::npos) << failure_text();
}

TEST_F(AgendaTest, StopsWhenTheFlagIsSet) {
  volatile std::sig_atomic_t flag = 0;
  agenda_->stop_when(&flag);
  Unit* runner = nullptr;
  runner = unit([&](Femtos now, Phase) {
    flag = now.count >= 100 ? 1 : 0;
    agenda_->at(now + Femtos{1}, Phase::kIssue, 0, runner);  // for ever
  });
  agenda_->at(Femtos{1}, Phase::kIssue, 0, runner);
  sc_core::sc_start();
  EXPECT_TRUE(agenda_->interrupted());
  EXPECT_EQ(agenda_->failure(), nullptr);
  EXPECT_EQ(agenda_->wakeups(), 1024U);  // the flag is polled every 1,024 wake-ups
}

}  // namespace
}  // namespace trnsim::models
