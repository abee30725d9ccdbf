from gan_core.catalogue import noise_recipes, paper


def test_papers_have_years_and_the_oldest_comes_first():
    ages = [paper(recipe) for recipe in noise_recipes()]
    assert ages == sorted(ages) and ages[0] == (2014, "1406.2661")
    for year, arxiv in ages:
        assert 0 <= 2000 + int(arxiv[:2]) - year <= 1  # r3gan's appeared in print a month before
